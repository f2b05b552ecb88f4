/** All limits of the HTTP/2 engine, with their defaults, in one place. Sizes in bytes, times in milliseconds. */

/** What both sides need. */
export interface Http2Limits {
  /** The largest head or trailers, counted as RFC 9113 section 6.5.2 does. A larger head is answered with 431. */
  readonly headerSize: number
  /** The largest frame that is taken. */
  readonly frameSize: number
  /** The largest dynamic table that the peer may use, and that is used towards it. */
  readonly tableSize: number
  /** What a stream may bring before it is read, at first. */
  readonly initialStreamWindow: number
  /** What all streams of a connection may bring before they are read, at first. */
  readonly initialConnectionWindow: number
  /** What a stream may bring at most, where the connection is fast and long enough to fill it. */
  readonly streamWindow: number
  /** The same for all streams of a connection. */
  readonly connectionWindow: number
  /** Until the peer's first frame, which is SETTINGS. */
  readonly firstByteTimeout: number
  /** Until the peer has acknowledged ours. */
  readonly settingsTimeout: number
  /** From the first byte of a head to its last, all CONTINUATION frames included. */
  readonly headerTimeout: number
  /** How long a connection without streams is kept. */
  readonly idleTimeout: number
  /** How long the socket, or the windows for an answer that is complete, may find no taker. */
  readonly stallTimeout: number
  /** A peer that was silent for so long while streams are open is sent a PING. */
  readonly keepaliveTime: number
  /** A peer that is silent for so long after that PING is given up. */
  readonly keepaliveTimeout: number
  /** How long a closed connection is read, so that the peer sees why it was closed. */
  readonly lingerTimeout: number
  /**
   * Frames that carry nothing, or that undo what came before: SETTINGS, PING, PRIORITY, empty DATA, WINDOW_UPDATE beyond those
   * that answer our DATA, frames for closed streams. So many at once; then the connection is closed with
   * ENHANCE_YOUR_CALM.
   */
  readonly controlBurst: number
  /** So many of these a second, in the long run. */
  readonly controlRate: number
}

/** What a server's connection needs. */
export interface Http2ServerLimits extends Http2Limits {
  /** Streams that a client may have open. More are refused, with REFUSED_STREAM. */
  readonly streams: number
  /**
   * Streams that end by RST_STREAM, the client's or one that it provoked: so many at once, and one for each that ends
   * well; then the connection is closed with ENHANCE_YOUR_CALM.
   */
  readonly resetBurst: number
  /** So many of these a second, in the long run. */
  readonly resetRate: number
  /** Bytes of answers that wait for the client's windows, from which on its further requests are refused. */
  readonly queuedAnswers: number
  /** Least time between two PINGs while nothing is sent to the client. Two more than that are forgiven. */
  readonly pingInterval: number
  /** How long a connection may live before the client is asked to make another. */
  readonly age: number
  /** How long the streams of a connection that is too old may still take. */
  readonly ageGrace: number
  /** How long a client may take to answer the PING of a GOAWAY, until its last requests are counted. */
  readonly drainDelay: number
}

/** What a client's connection needs. */
export interface Http2ClientLimits extends Http2Limits {
  /** Requests that wait for the server's stream limit; more are refused at once. */
  readonly queue: number
  /** Streams that are opened before the server's SETTINGS have said how many it takes, and that it speaks HTTP/2. */
  readonly assumedStreams: number
}

const limits: Http2Limits = {
  headerSize: 32 * 1024,
  frameSize: 16 * 1024,
  tableSize: 4096,
  initialStreamWindow: 256 * 1024,
  initialConnectionWindow: 1024 * 1024,
  streamWindow: 4 * 1024 * 1024,
  connectionWindow: 16 * 1024 * 1024,
  firstByteTimeout: 10_000,
  settingsTimeout: 10_000,
  headerTimeout: 10_000,
  idleTimeout: 5 * 60_000,
  stallTimeout: 30_000,
  keepaliveTime: 15_000,
  keepaliveTimeout: 15_000,
  lingerTimeout: 2_000,
  controlBurst: 2048,
  controlRate: 256,
}

export const defaultHttp2ServerLimits: Http2ServerLimits = {
  ...limits,
  streams: 1024,
  resetBurst: 1024,
  resetRate: 64,
  queuedAnswers: 64 * 1024 * 1024,
  pingInterval: 5_000,
  age: Number.POSITIVE_INFINITY,
  ageGrace: 60_000,
  drainDelay: 1_000,
}

export const defaultHttp2ClientLimits: Http2ClientLimits = {
  ...limits,
  idleTimeout: 30 * 60_000,
  // Servers of gRPC cut off who asks more often than every five minutes.
  keepaliveTime: 6 * 60_000,
  keepaliveTimeout: 20_000,
  queue: 4096,
  assumedStreams: 0,
}
