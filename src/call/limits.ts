import { longestTime } from './options.ts'

/** Finite limits of servers and clients. Sizes in bytes, times in milliseconds. Every one has a test and a line in docs/limits.md. */
export interface Limits {
  /** The largest message, after decompression. */
  readonly messageSize: number
  /** The largest head of a call: its metadata and, over HTTP, all headers. */
  readonly headerSize: number
  /** Calls open at once on one connection. */
  readonly streams: number
  /** Connections open at once on one server. */
  readonly connections: number
  /** Nesting of values. */
  readonly depth: number
  /** Bytes of a stream that may be on their way or waiting to be read, per stream. */
  readonly streamWindow: number
  /** The same for all streams of a connection. */
  readonly connectionWindow: number
  /** How long a new connection may stay silent. */
  readonly firstByteTimeout: number
  /** How long the head of a call, or a handshake, may take. */
  readonly headerTimeout: number
  /** How long a connection without calls is kept. */
  readonly idleTimeout: number
  /** How long a peer may leave a ping unanswered, or take no bytes while some are waiting. */
  readonly stallTimeout: number
  /** The default time a unary call may take. */
  readonly callTimeout: number
}

export const defaultLimits: Limits = {
  messageSize: 16 * 1024 * 1024,
  headerSize: 32 * 1024,
  streams: 1024,
  connections: 10_000,
  depth: 100,
  streamWindow: 1024 * 1024,
  connectionWindow: 16 * 1024 * 1024,
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
