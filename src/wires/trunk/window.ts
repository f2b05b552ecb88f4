/**
 * HOT PATH. Credit as the receiver keeps it: how many bytes the peer may still send, and when to grant more. A frame
 * takes what `frameCost` says, and the same is given back: messages without bytes use up a window too.
 *
 * Bytes are given back in portions of half a window, so that a stream of small messages costs two CREDIT frames a
 * window and the peer always has the other half to go on with. Where much of the window is held, so that the peer has
 * less left than would be given back, smaller portions do.
 */
import { frameCost } from './frames.ts'

export class ReceiveWindow {
  readonly #portion: number
  readonly #smallPortion: number
  readonly #size: number
  /** Bytes the peer may send now. The last frame may take it below 0. */
  #available: number
  /** Bytes that were dealt with and not granted again yet. */
  #owed = 0

  /**
   * @param size In bytes.
   */
  constructor(size: number) {
    this.#available = size
    this.#size = size
    this.#portion = Math.max(1, size >>> 1)
    this.#smallPortion = Math.max(1, size >>> 3)
  }

  /** The peer has sent a frame with `size` bytes of a message; `false`: it was not allowed to. */
  receive(size: number): boolean {
    const allowed = this.#available > 0 && this.#available >= size
    this.#available -= frameCost(size)
    return allowed
  }

  /** Frames that cost `cost` are dealt with. Returns how much to grant in a CREDIT frame now: mostly 0. */
  release(cost: number): number {
    this.#owed += cost
    const enough = this.#owed < this.#available ? this.#portion : this.#smallPortion
    if (this.#owed < enough) return 0
    const granted = this.#owed
    this.#owed = 0
    this.#available += granted
    return granted
  }

  /** What the frames cost that came in and are not dealt with. */
  get held(): number {
    return this.#size - this.#available - this.#owed
  }
}

/** The most credit that may ever be outstanding, on a stream and on a connection. */
export const largestCredit = 0x7fff_ffff
