/**
 * HOT PATH. Strings that come again as literals: names, and long values like a bearer token, by their octets as they were sent.
 * The same octets give the same string object, checked once. Guarded by `bench/scenarios/grpc.ts`.
 *
 * One slot a hash. The first sight of some octets leaves their hash only, the second keeps them: what comes once costs no copy.
 */
import { sameOctets, sampledHash } from './sampled-hash.ts'

/** A string and what was found out about it. */
export class Literal {
  readonly text: string
  readonly valid: boolean
  /** What was kept of the octets. */
  octets: Uint8Array | undefined
  hash = 0
  huffman = false

  constructor(text: string, valid: boolean) {
    this.text = text
    this.valid = valid
  }
}

export class LiteralCache {
  readonly #slots: (Literal | undefined)[]
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
    const literal = this.#slots[hash & this.#mask]

    if (literal === undefined || literal.hash !== hash || literal.huffman !== huffman) return undefined
    const octets = literal.octets as Uint8Array
    return octets.length === end - start && sameOctets(octets, bytes, start, end) ? literal : undefined
  }

  /** Keeps what `find` has just missed, if it was missed before. */
  offer(literal: Literal, bytes: Buffer, start: number, end: number, huffman: boolean): void {
    if (end - start > this.#longest) return
    const hash = this.#missed
    const slot = hash & this.#mask

    if (this.#seen[slot] !== hash) {
      this.#seen[slot] = hash
      return
    }

    literal.octets = Uint8Array.prototype.slice.call(bytes, start, end)
    literal.hash = hash
    literal.huffman = huffman
    this.#slots[slot] = literal
  }
}
