/** What a connection and its two halves know of each other: the server's and the client's are roles of one connection. */
import type { HttpAbort } from '../http/exchange.ts'
import type { DecodedBlock } from './hpack/decoder.ts'
import type { Incoming } from './incoming.ts'
import type { Outgoing } from './outgoing.ts'
import type { ClosedBy } from './stream-state.ts'

/** One request and its answer, as the connection sees it. */
export interface Stream {
  readonly id: number
  readonly incoming: Incoming
  readonly outgoing: Outgoing
  /** A header block has come that does not open it. Says what is malformed about it, if something is. */
  block(block: DecodedBlock, ends: boolean): string | undefined
  /** It is over before its time, and no longer among the connection's. */
  aborted(why: HttpAbort): void
}

/** What a connection is used for. */
export interface Role {
  readonly isServer: boolean
  /** A header block that may open a stream. */
  open(id: number, block: DecodedBlock, ends: boolean): void
  /** The peer's settings have come, or changed. */
  peerSettled(): void
  /** A stream is over, for whatever reason, and no longer among the connection's. */
  streamClosed(stream: Stream, how: ClosedBy): void
  /** The peer has reset a stream. */
  resetByPeer(stream: Stream): void
  /** The peer has broken the rules on one stream, which was reset. */
  faulted(): void
  /** The peer takes no streams above `lastId`. */
  goaway(lastId: number, code: number, debug: string): void
  /** A PING came; false: there were too many. */
  pinged(): boolean
  /** The PING of a GOAWAY was answered. */
  drainAnswered(): void
  /** The connection has not been used for `limits.idleTimeout`. */
  idle(): void
  /** No frame comes or goes any more: streams that are open end with `why`. */
  ended(why: HttpAbort): void
  /** The byte stream is gone. */
  gone(): void
  /** Something was thrown that should not have been. */
  failed(error: unknown): void
}
