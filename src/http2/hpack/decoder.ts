/**
 * HOT PATH. The decoder (RFC 7541 sections 3 and 6): a header block becomes a field list. Guarded by
 * `bench/systems/http2-raw-server.ts`.
 *
 *     block   = *2size-update *field
 *     field   = 1 index(7)                                          indexed                          6.1
 *             / 01 name-index(6) value / 01 000000 name value       literal, goes into the table     6.2.1
 *             / 0000 name-index(4) value / 0000 0000 name value     literal, does not                6.2.2
 *             / 0001 name-index(4) value / 0001 0000 name value     literal, never does on any hop   6.2.3
 *     size-update = 001 size(5)                                     only first, at most two          4.2, 6.3
 *     name, value = H length(7) octets                              H: Huffman-coded                 5.2
 */
import { BlockMemo } from './block-memo.ts'
import { DynamicTable } from './dynamic-table.ts'
import { HpackError } from './failure.ts'
import { isValidName, isValidValue } from './field-validity.ts'
import { decodingRoom, readHuffman } from './huffman.ts'
import { type Cursor, readInteger } from './integer.ts'
import { Literal, LiteralCache } from './literal-cache.ts'
import { longestShortText, shortText } from './short-text.ts'
import { staticSize, staticTable } from './static-table.ts'
import { entryOverhead, TableEntry } from './table-entry.ts'

/** What a decoder allows. Sizes in octets. */
export interface HpackDecoderSettings {
  /** Our SETTINGS_HEADER_TABLE_SIZE: the largest dynamic table that the peer may use. */
  readonly tableSize: number
  /** The largest list, counted as RFC 9113 section 6.5.2 does. */
  readonly maxListSize: number
  /** Whether blocks that come again are remembered; yes unless it is false. */
  readonly memo?: boolean
}

/**
 * A decoded field list. Blocks that are the same give the same object: nobody changes it but for
 * `attachment`.
 */
export class DecodedBlock {
  /**
   * Name, value, name, value … in order, pseudo-header fields among them; octets as Latin-1. Empty when
   * `tooLarge`.
   */
  readonly fields: readonly string[]
  /** Octets of names and values and 32 a field, of the whole list (RFC 9113 section 6.5.2). */
  readonly size: number
  /** The list passed `maxListSize`; the table was kept in step. */
  readonly tooLarge: boolean
  /** Whether each name and each value is one (RFC 9113 section 8.2.1). */
  readonly valid: boolean
  /** What the owner derived from this very list. */
  attachment: unknown = undefined

  constructor(fields: readonly string[], size: number, tooLarge: boolean, valid: boolean) {
    this.fields = fields
    this.size = size
    this.tooLarge = tooLarge
    this.valid = valid
  }
}

/** Values of this length and more are looked up among those that came before. */
const longValue = 32
const emptyString = new Literal('', true)
const nothing: readonly string[] = []
const scratchSize = 4096
const mostSizeUpdates = 2

export class HpackDecoder {
  readonly #table: DynamicTable
  readonly #maxListSize: number
  readonly #memo: BlockMemo | undefined
  readonly #names = new LiteralCache(128, 64)
  readonly #values = new LiteralCache(32, 2048)
  readonly #cursor: Cursor = { at: 0 }
  #scratch: Buffer | undefined
  /** What the peer may choose from. */
  #tableSize: number
  /** The next block must begin with a size update to this or less; -1 when it need not. */
  #mustShrinkTo = -1

  constructor(settings: HpackDecoderSettings) {
    this.#table = new DynamicTable(settings.tableSize)
    this.#tableSize = settings.tableSize
    this.#maxListSize = settings.maxListSize
    if (settings.memo !== false) this.#memo = new BlockMemo()
  }

  /** Octets that the dynamic table holds now, as RFC 7541 section 4.1 counts them. */
  get tableSize(): number {
    return this.#table.size
  }

  /**
   * Changes the bound of the dynamic table. To be called when the peer has acknowledged the setting: a peer
   * whose table was larger must begin its next block with a size update (RFC 7541 section 4.2).
   */
  setTableSize(size: number): void {
    this.#tableSize = size
    if (size < this.#table.maxSize && (this.#mustShrinkTo === -1 || size < this.#mustShrinkTo)) {
      this.#mustShrinkTo = size
    }
  }

  /** Decodes a whole block. Throws `HpackError` for what is none; the decoder is of no use afterwards. */
  decode(bytes: Buffer, start: number, end: number): DecodedBlock {
    const table = this.#table
    const { epoch } = table

    if (this.#mustShrinkTo === -1) {
      const known = this.#memo?.find(bytes, start, end, epoch)
      if (known !== undefined) return known
    }

    const block = this.#read(bytes, this.#sizeUpdates(bytes, start, end), end)
    if (table.epoch === epoch && !block.tooLarge) this.#memo?.offer(block, bytes, start, end, epoch)
    return block
  }

  /** Reads the size updates that a block begins with, and says where they end. */
  #sizeUpdates(bytes: Buffer, start: number, end: number): number {
    let at = start

    for (let count = 0; at < end && ((bytes[at] as number) & 0xe0) === 0x20; count += 1) {
      if (count === mostSizeUpdates) {
        throw new HpackError('a block begins with more than two changes of the table size')
      }

      this.#cursor.at = at
      const size = readInteger(bytes, this.#cursor, end, 0x1f)
      at = this.#cursor.at

      if (size > this.#tableSize) {
        throw new HpackError(
          `the table size ${size} is larger than the ${this.#tableSize} octets that were allowed`,
        )
      }

      if (this.#mustShrinkTo !== -1) {
        if (size > this.#mustShrinkTo) break
        this.#mustShrinkTo = -1
      }

      this.#table.resize(size)
    }

    if (this.#mustShrinkTo !== -1) {
      throw new HpackError(
        `the table size was lowered to ${this.#mustShrinkTo} octets, which the block does not begin with`,
      )
    }

    return at
  }

  #read(bytes: Buffer, start: number, end: number): DecodedBlock {
    const table = this.#table
    const cursor = this.#cursor
    const maxListSize = this.#maxListSize
    const fields: string[] = []
    let size = 0
    let valid = true
    let at = start

    while (at < end) {
      const octet = bytes[at] as number

      if (octet >= 0x80) {
        let index = octet & 0x7f
        at += 1

        if (index === 0x7f) {
          cursor.at = at - 1
          index = readInteger(bytes, cursor, end, 0x7f)
          at = cursor.at
        }

        const entry = index <= staticSize ? staticTable[index] : table.get(index)
        if (entry === undefined) throw noEntry(index)

        size += entry.size
        if (size <= maxListSize) {
          fields.push(entry.name, entry.value)
          if (!entry.valid) valid = false
        }

        continue
      }

      if ((octet & 0xe0) === 0x20) {
        throw new HpackError(`a change of the table size at octet ${at} comes after a field`)
      }

      const indexing = octet >= 0x40
      cursor.at = at
      const index = readInteger(bytes, cursor, end, indexing ? 0x3f : 0x0f)
      let name: string
      let nameValid: boolean

      if (index === 0) {
        const literal = this.#name(bytes, end)
        name = literal.text
        nameValid = literal.valid
      } else {
        const entry = index <= staticSize ? staticTable[index] : table.get(index)
        if (entry === undefined) throw noEntry(index)
        name = entry.name
        nameValid = entry.nameValid
      }

      const value = this.#value(bytes, end)
      at = cursor.at
      const { text } = value
      const fieldValid = nameValid && value.valid
      size += name.length + text.length + entryOverhead

      if (size <= maxListSize) {
        fields.push(name, text)
        if (!fieldValid) valid = false
      }

      if (indexing) table.insert(new TableEntry(name, text, nameValid, value.valid))
    }

    return size <= maxListSize
      ? new DecodedBlock(fields, size, false, valid)
      : new DecodedBlock(nothing, size, true, valid)
  }

  #name(bytes: Buffer, end: number): Literal {
    const huffman = ((bytes[this.#cursor.at] as number) & 0x80) !== 0
    const start = this.#string(bytes, end)
    const stop = this.#cursor.at
    const known = this.#names.find(bytes, start, stop, huffman)
    if (known !== undefined) return known

    const text = this.#text(bytes, start, stop, huffman)
    const literal = new Literal(text, isValidName(text))
    this.#names.offer(literal, bytes, start, stop, huffman)
    return literal
  }

  #value(bytes: Buffer, end: number): Literal {
    const huffman = ((bytes[this.#cursor.at] as number) & 0x80) !== 0
    const start = this.#string(bytes, end)
    const stop = this.#cursor.at
    if (start === stop) return emptyString

    if (stop - start < longValue) {
      const text = this.#text(bytes, start, stop, huffman)
      return new Literal(text, isValidValue(text))
    }

    const known = this.#values.find(bytes, start, stop, huffman)
    if (known !== undefined) return known

    const text = this.#text(bytes, start, stop, huffman)
    const literal = new Literal(text, isValidValue(text))
    this.#values.offer(literal, bytes, start, stop, huffman)
    return literal
  }

  /** Reads a string's length, says where its octets begin, and leaves the cursor where they end. */
  #string(bytes: Buffer, end: number): number {
    const cursor = this.#cursor
    const length = readInteger(bytes, cursor, end, 0x7f)
    const start = cursor.at

    if (length > end - start) {
      throw new HpackError(
        `the string at octet ${start} has ${length} octets, of which the block has ${end - start}`,
      )
    }

    cursor.at = start + length
    return start
  }

  #text(bytes: Buffer, start: number, end: number, huffman: boolean): string {
    if (!huffman) return plainText(bytes, start, end)

    const room = decodingRoom(end - start)
    const out =
      room <= scratchSize ? (this.#scratch ??= Buffer.allocUnsafeSlow(scratchSize)) : Buffer.allocUnsafe(room)
    return plainText(out, 0, readHuffman(bytes, start, end, out))
  }
}

function plainText(bytes: Buffer, start: number, end: number): string {
  const short = end - start <= longestShortText && end > start
  return short ? shortText(bytes, start, end) : bytes.latin1Slice(start, end)
}

function noEntry(index: number): HpackError {
  return new HpackError(index === 0 ? 'index 0 is none' : `index ${index} is beyond the table`)
}
