/**
 * HOT PATH. The states of a stream (RFC 9113 section 5.1), and what a frame means that comes for one which is over. Pure.
 *
 *     idle → open → half-closed (remote): the peer has sent END_STREAM → closed
 *                 → half-closed (local):  we have                      → closed
 *
 * A stream that is open or half-closed has an object with two flags. What is closed has none: of the last `remembered`
 * streams it is kept in a byte how they were closed, since frames that crossed our RST_STREAM are the peer's right, and
 * those behind its own END_STREAM are not.
 */
import { frameType } from './frames.ts'

export const closedBy = {
  /** So long ago that nobody knows. */
  unknown: 0,
  /** Both sides have sent END_STREAM. */
  ends: 1,
  /** We have sent RST_STREAM. */
  localReset: 2,
  /** The peer has sent RST_STREAM. */
  remoteReset: 3,
  /** Never used: one with a higher number came first. */
  skipped: 4,
} as const

export type ClosedBy = (typeof closedBy)[keyof typeof closedBy]

/** What a frame for a closed stream leads to. */
export type Verdict = 'ignore' | 'stream-closed' | 'connection-closed' | 'protocol-error'

const remembered = 1024

/** How the streams of one side's numbers (odd or even) were closed. */
export class ClosedStreams {
  #how: Uint8Array | undefined
  #highest = -1

  /** A stream was opened; the numbers between the last one and this are skipped. */
  opened(id: number): void {
    const from = Math.max(this.#highest + 2, id - 2 * (remembered - 1))
    this.#highest = id
    if (this.#how === undefined && from >= id) return
    this.#how ??= new Uint8Array(remembered)
    for (let skipped = from | (id & 1); skipped < id; skipped += 2) this.#put(skipped, closedBy.skipped)
    this.#put(id, closedBy.unknown)
  }

  closed(id: number, how: ClosedBy): void {
    if (this.#highest - id >= 2 * remembered) return
    this.#how ??= new Uint8Array(remembered)
    this.#put(id, how)
  }

  how(id: number): ClosedBy {
    if (this.#how === undefined || this.#highest - id >= 2 * remembered) return closedBy.unknown
    return this.#how[(id >>> 1) % remembered] as ClosedBy
  }

  #put(id: number, how: ClosedBy): void {
    ;(this.#how as Uint8Array)[(id >>> 1) % remembered] = how
  }
}

/** What to do with a frame for a stream that is closed; PRIORITY is always allowed, and does not come here. */
export function verdictOnClosed(type: number, how: ClosedBy): Verdict {
  if (how === closedBy.skipped) return type === frameType.headers ? 'protocol-error' : 'connection-closed'
  // These may have been sent before the peer knew.
  if (type === frameType.windowUpdate || type === frameType.rstStream) return 'ignore'
  switch (how) {
    case closedBy.localReset:
      return 'ignore'
    case closedBy.ends:
      return 'connection-closed'
    default:
      return 'stream-closed'
  }
}
