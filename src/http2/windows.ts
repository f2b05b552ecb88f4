/**
 * HOT PATH. Flow control (RFC 9113 section 5.2) as the receiver keeps it: how many bytes the peer may still send, and when
 * to grant more. Pure.
 *
 * Bytes are granted again in portions of half a window, so that the peer always has the other half to go on with. Where
 * much of the window is held, so that the peer has less left than would be given back, smaller portions do.
 */
import { largestWindow } from './frames.ts'

export class ReceiveWindow {
  /** Bytes the peer may send now; below 0 only where the window was made smaller. */
  available: number
  size: number
  /** Bytes that were dealt with and not granted again yet. */
  #owed = 0

  /**
   * @param size In bytes.
   */
  constructor(size: number) {
    this.available = size
    this.size = size
  }

  /** The peer has sent `size` bytes; `false`: it was not allowed to. */
  receive(size: number): boolean {
    this.available -= size
    return this.available >= 0
  }

  /** Bytes are dealt with. Returns how many to grant in a WINDOW_UPDATE now: mostly 0. */
  release(size: number): number {
    const owed = this.#owed + size
    const portion = owed < this.available ? this.size >>> 1 : this.size >>> 3
    if (owed === 0 || owed < portion) {
      this.#owed = owed
      return 0
    }
    this.#owed = 0
    this.available += owed
    return owed
  }

  /** Makes the window smaller, as the peer now knows it; what it has sent before may be more. */
  shrink(size: number): void {
    this.available -= this.size - size
    this.size = size
  }

  /** Makes the window larger; returns how much the peer is to be granted at once. */
  grow(size: number): number {
    const more = size - this.size
    if (more <= 0) return 0
    this.size = size
    this.available += more
    return more
  }
}

/** What is left to send once a window was moved by `increment`; `undefined`: more than a window can be. */
export function widened(window: number, increment: number): number | undefined {
  const sum = window + increment
  return sum > largestWindow ? undefined : sum
}
