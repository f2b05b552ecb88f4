/** One thing in which two descriptions of a contract differ. */
export interface Difference {
  /** `Order.quantity`, or `place` for an operation. */
  readonly path: string
  /** What it is here, for people; `undefined`: it is not there. */
  readonly ours: string | undefined
  readonly theirs: string | undefined
  /** The wire that alone notices; `undefined`: all of them do. */
  readonly wire: 'rest' | 'grpc' | 'soap' | undefined
  readonly breaking: boolean
  /** One sentence. */
  readonly message: string
}
