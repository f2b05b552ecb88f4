/**
 * HOT PATH. Whole blocks that come again, by their octets and the epoch of the table they were decoded with:
 * a block that changed nothing in the table means the same list until something does. Guarded by
 * `bench/systems/http2-raw-server.ts`.
 *
 * One slot a hash, bounded in number and length. Where few blocks come again the memo rests, and is tried
 * again later.
 */
import type { DecodedBlock } from './decoder.ts'
import { sameOctets, sampledHash } from './sampled-hash.ts'

const slots = 64
const longest = 512
/** Names and values of a list that is kept: what a peer can make us hold stays small. */
const longestList = 128

/**
 * Lookups after which the hits are counted, the hits of them that suffice, and the blocks that it rests
 * otherwise.
 */
const trial = 256
const enough = 32
const rest = 8192

interface Kept {
  hash: number
  epoch: number
  length: number
  /** Grown as needed, used again. */
  octets: Uint8Array
  block: DecodedBlock
}

export class BlockMemo {
  readonly #kept: (Kept | undefined)[] = Array.from({ length: slots })
  #missed = 0
  #lookups = 0
  #hits = 0
  #resting = 0

  find(bytes: Buffer, start: number, end: number, epoch: number): DecodedBlock | undefined {
    if (this.#resting > 0) {
      this.#resting -= 1
      return undefined
    }

    if (end - start > longest) return undefined

    this.#lookups += 1
    if (this.#lookups === trial) this.#count()

    const hash = sampledHash(bytes, start, end)
    this.#missed = hash
    const kept = this.#kept[hash & (slots - 1)]

    if (kept === undefined || kept.hash !== hash || kept.epoch !== epoch || kept.length !== end - start) {
      return undefined
    }

    if (!sameOctets(kept.octets, bytes, start, end)) return undefined
    this.#hits += 1
    return kept.block
  }

  /** Keeps what `find` has just missed. The block must have changed nothing in the table. */
  offer(block: DecodedBlock, bytes: Buffer, start: number, end: number, epoch: number): void {
    const length = end - start
    if (this.#resting > 0 || length > longest || block.fields.length > longestList) return

    const hash = this.#missed
    const slot = hash & (slots - 1)
    const kept = this.#kept[slot]

    if (kept === undefined || kept.octets.length < length) {
      this.#kept[slot] = {
        hash,
        epoch,
        length,
        octets: Uint8Array.prototype.slice.call(bytes, start, end),
        block,
      }
      return
    }

    kept.hash = hash
    kept.epoch = epoch
    kept.length = length
    kept.block = block
    for (let i = 0; i < length; i += 1) kept.octets[i] = bytes[start + i] as number
  }

  #count(): void {
    if (this.#hits < enough) {
      this.#resting = rest
      this.#kept.fill(undefined)
    }

    this.#lookups = 0
    this.#hits = 0
  }
}
