/**
 * HOT PATH; guarded by `bench/scenarios/codec-json.ts`. The keys that a type of map was seen with, as they stand in
 * JSON: `,"eu":`. Maps mostly have the same few keys again and again, and eight bytes at once are written faster than
 * characters one by one. They are kept as doubles, which no UTF-8 makes a NaN, so their bits stay as they are.
 */
/** A type of map that has met more is keyed by something like an id. */
const mostKeys = 256
const wordsAKey = 4
const longestKey = wordsAKey * 8

export interface KeyTable {
  /** By key; −1 for one that is too long. */
  readonly places: Map<string, number>
  readonly sizes: Uint8Array
  readonly words: Float64Array
}

export function createKeyTable(): KeyTable {
  return {
    places: new Map(),
    sizes: new Uint8Array(mostKeys * wordsAKey),
    words: new Float64Array(mostKeys * wordsAKey),
  }
}

/** Whether there are more keys than are kept. */
export function isFull({ places }: KeyTable): boolean {
  return places.size >= mostKeys
}

/** The place of a key that is not among them yet; −1 when it gets none. */
export function addKey(table: KeyTable, key: string): number {
  const { places, sizes, words } = table
  if (isFull(table)) return -1

  const place = places.size * wordsAKey
  const text = `,${JSON.stringify(key)}:`
  const size = Buffer.byteLength(text)
  if (size > longestKey) {
    places.set(key, -1)
    return -1
  }

  const bytes = Buffer.alloc(longestKey)
  bytes.write(text)
  for (let word = 0; word < wordsAKey; word++) words[place + word] = bytes.readDoubleLE(word * 8)
  sizes[place] = size
  places.set(key, place)
  return place
}
