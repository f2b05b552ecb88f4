import { longestTime } from './options.ts'

/** Finite limits of servers and clients. Sizes in bytes, times in milliseconds. Every one has a test and a line in docs/limits.md. */
export interface Limits {
  /**
   * The largest message, after decompression. Beyond: The call is `resource_exhausted` (over HTTP 413); the
   * connection stays.
   */
  readonly messageSize: number
  /**
   * The largest head of a call: its metadata and, over HTTP, all headers. Beyond: The call is
   * `resource_exhausted` (over HTTP 431, and the connection is closed).
   */
  readonly headerSize: number
  /**
   * Calls open at once on one connection. Beyond: Over trunk, calls wait at the client for their turn, as
   * many again; beyond these they are `resource_exhausted`. HTTP/1.1 has one call a connection.
   */
  readonly streams: number
  /** Connections open at once on one server. Beyond: New ones are closed at once, and the log warns. */
  readonly connections: number
  /** Nesting of values. Beyond: The value is invalid: `invalid_argument`. */
  readonly depth: number
  /**
   * Bytes of a stream that may be on their way or waiting to be read, per stream; each message counts 32 more,
   * so that empty ones are not free. Beyond: The sender waits for the reader.
   */
  readonly streamWindow: number
  /**
   * The same for all streams of a connection; over trunk, large messages that are incomplete may hold as much again and
   * one whole message. Beyond: The senders wait for the readers, and large messages for the one that was begun first.
   */
  readonly connectionWindow: number
  /**
   * Bytes of HTTP bodies that a server keeps because they have come in part only: messages, lines of streams and what is
   * decompressed, of all connections together; one body that is alone may be larger. Beyond: One is refused with
   * `resource_exhausted` (503 and `Retry-After`): the one that stood still longest, if for 2 seconds, else the one begun
   * last. None waits for another.
   */
  readonly partialBodiesSize: number
  /** How long a new connection may stay silent. Beyond: It is closed. */
  readonly firstByteTimeout: number
  /**
   * How long the head of a call, or a handshake, may take. Beyond: The connection is closed (over HTTP with
   * 408); a client tries another.
   */
  readonly headerTimeout: number
  /** How long a connection without calls is kept. Beyond: It is closed, and the next call makes another. */
  readonly idleTimeout: number
  /**
   * How long a peer may leave a ping unanswered, or take no bytes while some are waiting. Beyond: The
   * connection is cut, and its calls are `unavailable`.
   */
  readonly stallTimeout: number
  /**
   * The time a unary call may take, unless its operation names another. A caller can ask for less, not for more. Beyond:
   * The call is `deadline_exceeded`, and its handler is told. Calls with a stream on either side have no deadline unless
   * one is named.
   */
  readonly callTimeout: number
}

export const defaultLimits: Limits = {
  messageSize: 16 * 1024 * 1024,
  headerSize: 32 * 1024,
  streams: 1024,
  connections: 10_000,
  depth: 100,
  streamWindow: 4 * 1024 * 1024,
  connectionWindow: 16 * 1024 * 1024,
  partialBodiesSize: 256 * 1024 * 1024,
  firstByteTimeout: 10_000,
  headerTimeout: 10_000,
  idleTimeout: 5 * 60_000,
  stallTimeout: 30_000,
  callTimeout: 30_000,
}

/** The defaults with some replaced. Throws RangeError for one that is not a positive finite number, or that no timer can wait. */
export function withLimits(given: Partial<Limits> | undefined): Limits {
  if (given === undefined) return defaultLimits
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaultLimits, name)) {
      throw new RangeError(`limits.${name} is no limit; there are ${Object.keys(defaultLimits).join(', ')}`)
    }
    if (value !== undefined && !(Number.isFinite(value) && value > 0)) {
      throw new RangeError(`limits.${name}: expected a positive finite number, got ${String(value)}`)
    }
    if (name.endsWith('Timeout') && value !== undefined && value > longestTime) {
      throw new RangeError(`limits.${name}: expected at most ${longestTime} ms (24.8 days), got ${value}`)
    }
  }
  const chosen = Object.entries(given).filter(([, value]) => value !== undefined)
  return { ...defaultLimits, ...Object.fromEntries(chosen) }
}
