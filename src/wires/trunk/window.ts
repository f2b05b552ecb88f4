/**
 * HOT PATH. Credit as the receiver keeps it: how many bytes the peer may still send, and when to grant more.
 *
 * Bytes are given back in portions of half a window, so that a stream of small messages costs two CREDIT frames a
 * window and the peer always has the other half to go on with.
 */
export class ReceiveWindow {
  readonly #portion: number
  /** Bytes the peer may send now. */
  #available: number
  /** Bytes that were dealt with and not granted again yet. */
  #owed = 0

  /**
   * @param size In bytes.
   */
  constructor(size: number) {
    this.#available = size
    this.#portion = Math.max(1, size >>> 1)
  }

  /** The peer has sent `size` bytes; `false`: it was not allowed to. */
  receive(size: number): boolean {
    this.#available -= size
    return this.#available >= 0
  }

  /** `size` bytes are dealt with. Returns how many to grant in a CREDIT frame now: mostly 0. */
  release(size: number): number {
    this.#owed += size
    if (this.#owed < this.#portion) return 0
    const granted = this.#owed
    this.#owed = 0
    this.#available += granted
    return granted
  }
}

/** The most credit that may ever be outstanding, on a stream and on a connection. */
export const largestCredit = 0x7fff_ffff
