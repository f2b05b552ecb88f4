/** The other side of a connection. */
export interface Peer {
  /** `192.0.2.7:41234`, `unix:/run/orders.sock`, or `in-process`. */
  readonly address: string
  /** The wire that carries the call: `trunk`, `rest`, … */
  readonly wire: string
  readonly secure: boolean
  /** What the peer's certificate says, where it showed one (mutual TLS). */
  readonly certificate?: {
    readonly subject: string
    readonly names: readonly string[]
    readonly fingerprint: string
  }
}
