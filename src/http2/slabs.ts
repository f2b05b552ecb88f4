/**
 * HOT PATH. Memory to write into: large pieces that are filled from front to back, by one connection at a time, and given
 * back with what is left. What was written is never written again, so that views of it may stay on their way as long as
 * they like; a connection that writes nothing owns nothing.
 */

export const slabSize = 64 * 1024
/** With less left, a piece is of no use to the next. */
const worthKeeping = 8 * 1024
const mostFree = 16

export class Slab {
  readonly bytes: Buffer
  /** Where the next byte goes. */
  at = 0

  constructor(size: number) {
    this.bytes = Buffer.allocUnsafeSlow(size)
  }
}

const free: Slab[] = []

/** Takes a piece with room for `size` bytes. */
export function takeSlab(size: number): Slab {
  const slab = free.pop()
  if (slab !== undefined && slab.bytes.length - slab.at >= size) return slab
  return new Slab(Math.max(size, slabSize))
}

export function giveSlab(slab: Slab): void {
  if (slab.bytes.length - slab.at >= worthKeeping && free.length < mostFree) free.push(slab)
}
