/** All limits of the HTTP/1.1 engine, with their defaults, in one place. Sizes in bytes, times in milliseconds. */

/** What a parser of either side needs. */
export interface MessageLimits {
  /** The request line or status line. A longer request line is answered with 414. */
  readonly startLine: number
  /** The whole head, start line included; the trailers have the same bound. A larger one is answered with 431. */
  readonly headerSize: number
  /** Header fields of a message. More are answered with 431. */
  readonly headerCount: number
  /** Chunk extensions of a body, all together. */
  readonly chunkExtensions: number
}

/** What a server's connection needs. */
export interface Http1Limits extends MessageLimits {
  /** Bytes that are read ahead while nobody takes them: a body not asked for yet, or a pipelined request. */
  readonly readAhead: number
  /** An unread body of at most this size is read away so that the connection can be kept. */
  readonly drainSize: number
  /** Until the first byte of a connection. */
  readonly firstByteTimeout: number
  /** From the first byte of a head to its last. Answered with 408. */
  readonly headerTimeout: number
  /** Between an answer and the next request. */
  readonly idleTimeout: number
  /** How long a body may stand still while it is waited for, and how long an answer may find no taker. */
  readonly stallTimeout: number
  /** How long a connection without a request stays open when its server drains, for one that is on its way. */
  readonly drainDelay: number
  /** How long a closed connection is read, so that the peer sees the answer and not a reset. */
  readonly lingerTimeout: number
}

/** What a client's pool needs. */
export interface Http1ClientLimits extends MessageLimits {
  /** Connections open at once to the endpoint. */
  readonly connections: number
  /** Requests that wait for a connection; more are refused at once. */
  readonly queue: number
  /** Time an idle connection is kept, unless the server's `Keep-Alive: timeout=` is shorter. */
  readonly idleTimeout: number
  /** What is taken off the server's `Keep-Alive: timeout=`, so that a request does not meet its closing. */
  readonly keepAliveMargin: number
  /** How long an answer that has begun, or a request body on its way, may stand still. */
  readonly stallTimeout: number
}

const messageLimits: MessageLimits = {
  startLine: 8 * 1024,
  headerSize: 32 * 1024,
  headerCount: 128,
  chunkExtensions: 16 * 1024,
}

export const defaultHttp1Limits: Http1Limits = {
  ...messageLimits,
  readAhead: 64 * 1024,
  drainSize: 64 * 1024,
  firstByteTimeout: 10_000,
  headerTimeout: 10_000,
  idleTimeout: 5 * 60_000,
  stallTimeout: 30_000,
  drainDelay: 250,
  lingerTimeout: 2_000,
}

export const defaultHttp1ClientLimits: Http1ClientLimits = {
  ...messageLimits,
  connections: 256,
  queue: 4096,
  idleTimeout: 60_000,
  keepAliveMargin: 1_000,
  stallTimeout: 30_000,
}
