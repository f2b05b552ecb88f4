/**
 * HOT PATH. A hash of some octets of a run, for caches that compare all of them afterwards: whoever makes
 * runs that collide makes misses, and nothing else.
 */

/** Up to this length every octet counts, beyond it as many, evenly spread. */
const mostSampled = 24

export function sampledHash(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start
  let hash = length

  if (length <= mostSampled) {
    for (let i = start; i < end; i += 1) hash = Math.imul(hash, 31) + (bytes[i] as number)
  } else {
    // The ends differ most often: all of the first 8 and the last 8, and 8 between.
    const stride = (length - 16) >>> 3
    for (let i = start; i < start + 8; i += 1) hash = Math.imul(hash, 31) + (bytes[i] as number)
    for (let i = 0, at = start + 8; i < 8; i += 1, at += stride)
      hash = Math.imul(hash, 31) + (bytes[at] as number)
    for (let i = end - 8; i < end; i += 1) hash = Math.imul(hash, 31) + (bytes[i] as number)
  }

  return hash ^ (hash >>> 15)
}

/** From this length on the native comparison is faster than a walk. */
const compareNativelyFrom = 40

/** Whether a run is exactly the first octets of `kept`. */
export function sameOctets(kept: Uint8Array, bytes: Buffer, start: number, end: number): boolean {
  const length = end - start
  if (length >= compareNativelyFrom) return bytes.compare(kept, 0, length, start, end) === 0

  for (let i = 0; i < length; i += 1) {
    if (kept[i] !== bytes[start + i]) return false
  }

  return true
}
