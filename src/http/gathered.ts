/**
 * Bytes of a body that is not complete, copied out of what was only borrowed. However small the pieces in which they
 * come, what is kept is at most twice the bytes and a few hundred more: pieces go together into blocks, each as large as
 * all before it, up to 64 KiB. A block is memory of its own, so that no byte keeps a pool's slab alive.
 */
import type { PartialBody } from './partial-bodies.ts'

const smallestBlock = 256
const largestBlock = 64 * 1024

const nothing = Buffer.alloc(0)

export class Gathered {
  /** Bytes that were added and not taken. */
  size = 0
  readonly #account: PartialBody | undefined
  /** All are full but the last, which is so up to `#filled`. */
  readonly #blocks: Buffer[] = []
  #filled = 0
  #capacity = 0

  /** @param account What is kept is counted there; without it, whoever adds has a bound of their own. */
  constructor(account?: PartialBody) {
    this.#account = account
  }

  /** Bytes of memory that are kept. */
  get capacity(): number {
    return this.#capacity
  }

  /** How many Buffers keep them. */
  get blocks(): number {
    return this.#blocks.length
  }

  /** Copies bytes. Returns false when the account has no room; the body is then refused, and nothing of use. */
  add(bytes: Buffer, start: number, end: number): boolean {
    const last = this.#blocks.at(-1)
    const room = last === undefined ? 0 : last.length - this.#filled
    const first = Math.min(room, end - start)
    if (first > 0) {
      bytes.copy(last as Buffer, this.#filled, start, start + first)
      this.#filled += first
      this.size += first
    }

    const rest = end - start - first
    if (rest === 0) return true
    const length = Math.max(rest, Math.min(largestBlock, Math.max(smallestBlock, this.size)))
    if (this.#account?.take(length) === false) return false

    const block = Buffer.allocUnsafeSlow(length)
    bytes.copy(block, 0, start + first, end)
    this.#blocks.push(block)
    this.#filled = rest
    this.#capacity += length
    this.size += rest
    return true
  }

  /** All bytes in one Buffer; nothing is kept any more. */
  take(): Buffer {
    const { size } = this
    const [only] = this.#blocks
    const whole = this.#blocks.length === 1 ? (only as Buffer).subarray(0, size) : this.#joined()
    this.clear()
    return whole
  }

  #joined(): Buffer {
    return this.size === 0 ? nothing : Buffer.concat(this.#blocks, this.size)
  }

  /** The bytes of the first block, which is not kept any more; `undefined` when there is none. */
  shift(): Buffer | undefined {
    const last = this.#blocks.length === 1
    const block = this.#blocks.shift()
    if (block === undefined) return undefined

    const bytes = last ? block.subarray(0, this.#filled) : block
    if (last) this.#filled = 0
    this.size -= bytes.length
    this.#capacity -= block.length
    this.#account?.give(block.length)
    return bytes
  }

  /** Forgets all. */
  clear(): void {
    if (this.#capacity > 0) this.#account?.give(this.#capacity)
    this.#blocks.length = 0
    this.#filled = 0
    this.#capacity = 0
    this.size = 0
  }
}
