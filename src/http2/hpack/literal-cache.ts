/**
 * HOT PATH. Strings that come again as literals: names, and long values like a bearer token, by their octets
 * as they were sent. The same octets give the same string object, checked once. Guarded by
 * `bench/systems/http2-raw-server.ts`.
 *
 * One slot a hash. The first sight of some octets leaves their hash only, the second keeps them: what comes
 * once costs no copy.
 */
import { sameOctets, sampledHash } from './sampled-hash.ts'

/** A string and whether it is what its place in a field allows. */
export class Literal {
  readonly text: string
  readonly valid: boolean

  constructor(text: string, valid: boolean) {
    this.text = text
    this.valid = valid
  }
}

interface Kept {
  hash: number
  huffman: boolean
  length: number
  /** Grown as needed, used again. */
  octets: Buffer
  literal: Literal
}

export class LiteralCache {
  readonly #slots: (Kept | undefined)[]
  readonly #seen: Int32Array
  readonly #mask: number
  readonly #longest: number
  #missed = 0

  /** `slots` is a power of two; longer runs than `longest` octets are not kept. */
  constructor(slots: number, longest: number) {
    this.#slots = Array.from({ length: slots })
    this.#seen = new Int32Array(slots)
    this.#mask = slots - 1
    this.#longest = longest
  }

  find(bytes: Buffer, start: number, end: number, huffman: boolean): Literal | undefined {
    const hash = sampledHash(bytes, start, end)
    this.#missed = hash
    const kept = this.#slots[hash & this.#mask]

    if (kept === undefined || kept.hash !== hash || kept.length !== end - start || kept.huffman !== huffman) {
      return undefined
    }

    return sameOctets(kept.octets, bytes, start, end) ? kept.literal : undefined
  }

  /** Keeps what `find` has just missed, if it was missed before. */
  offer(literal: Literal, bytes: Buffer, start: number, end: number, huffman: boolean): void {
    const length = end - start
    if (length > this.#longest) return

    const hash = this.#missed
    const slot = hash & this.#mask

    if (this.#seen[slot] !== hash) {
      this.#seen[slot] = hash
      return
    }

    const kept = this.#slots[slot]

    if (kept === undefined || kept.octets.length < length) {
      const octets = Buffer.allocUnsafeSlow(length)
      bytes.copy(octets, 0, start, end)
      this.#slots[slot] = { hash, huffman, length, octets, literal }
      return
    }

    bytes.copy(kept.octets, 0, start, end)
    kept.hash = hash
    kept.huffman = huffman
    kept.length = length
    kept.literal = literal
  }
}
