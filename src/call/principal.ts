/** Who calls, as an authentication filter found out. */
export interface Principal {
  /** A stable name: `service:billing`, a token's subject, a certificate's name. */
  readonly id: string
  /** What it may do; an operation's `scopes` must all be among them. */
  readonly scopes?: readonly string[]
  /** What else is known of it. */
  readonly claims?: Readonly<Record<string, unknown>>
}
