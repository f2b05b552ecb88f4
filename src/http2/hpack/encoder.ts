/**
 * HOT PATH. The encoder (RFC 7541 sections 4.2 and 6; the grammar stands above the decoder). Guarded by
 * `bench/systems/http2-raw-server.ts`.
 *
 * What goes into the table:
 * - fields of a template: at once, since they are constant;
 * - other fields: when a value comes the second time (`field-policy.ts` has the names that are treated
 *   otherwise);
 * - for a name that no table has, one field when the name comes the second time: the literals after it refer
 *   to its name.
 *
 * Every insertion changes all indices, so that templates are encoded anew, and may push out the oldest entry.
 * With more constant fields than the table holds, each would push out the one that is needed next. Therefore
 * an entry that was used lately is pushed out a few times only in each `span` of blocks; what finds no place
 * goes as a literal. More often may come back what was pushed out although it is in nearly every block: thus
 * the most used fields move to the young end of the table.
 *
 * What was encoded has to be sent, and in the order of encoding: the peer's table follows it.
 */
import { DynamicTable } from './dynamic-table.ts'
import { fieldPolicies } from './field-policy.ts'
import { huffmanLength, writeHuffman } from './huffman.ts'
import { writeInteger } from './integer.ts'
import { type NameSlot, NameSlots } from './name-slots.ts'
import { entryOverhead, TableEntry } from './table-entry.ts'
import { type HpackTemplate, mostEncoded } from './template.ts'

/** How an encoder behaves. */
export interface HpackEncoderSettings {
  /** The largest dynamic table that it uses, in octets, even if the peer allows more. Default 4096. */
  readonly tableSize?: number
  /** Further names, in lower case, whose values are secrets. */
  readonly never?: readonly string[]
  /** Further names, in lower case, whose values hardly come again. */
  readonly plain?: readonly string[]
  /** Whether literals are Huffman-coded where that is shorter: fewer octets, more time. Default no. */
  readonly huffman?: boolean
}

/** The size that both sides begin with (RFC 9113 section 6.5.2). */
const initialTableSize = 4096

/**
 * Blocks in which an entry's use counts as late, and how many such entries may be pushed out in as many
 * blocks.
 */
const span = 1024
const mostPushed = 8
const mostReturned = 64

const mostTemplates = 1024

/** Shorter strings are written faster by hand than by a native call. */
const writeNativelyFrom = 24

/**
 * `latin1Write` is on every Buffer and in no type definition; `write` costs a look at the encoding's name.
 */
interface Latin1Writer {
  latin1Write(text: string, at: number, length: number): number
}

/** A template as one encoder last wrote it. */
interface Encoded {
  epoch: number
  /** The block from which on it is written anew, so that what found no place is tried again. */
  staleFrom: number
  octets: Uint8Array
  length: number
  /** Of the dynamic table: the entries that it refers to. */
  entries: readonly TableEntry[]
}

export class HpackEncoder {
  readonly #table = new DynamicTable(initialTableSize)
  readonly #slots: NameSlots
  readonly #largest: number
  readonly #huffman: boolean
  readonly #templates = new Map<HpackTemplate, Encoded>()
  #lastTemplate: HpackTemplate | undefined
  #lastEncoded: Encoded | undefined
  #block = 0
  /**
   * Until which block the next two hold: entries used lately that may still be pushed out, by new fields and
   * by returning ones.
   */
  #spanEnd = 0
  #pushes = 0
  #returns = 0
  /** A constant field of this block found no place in the table. */
  #crowded = false
  /** What the next block begins with: the smallest size since the last one, and the present. -1: nothing. */
  #smallest = -1
  #next = -1

  constructor(settings: HpackEncoderSettings = {}) {
    this.#largest = settings.tableSize ?? initialTableSize
    this.#huffman = settings.huffman ?? false
    const policies = fieldPolicies(settings.never ?? [], settings.plain ?? [])
    this.#slots = new NameSlots(this.#table, policies, this.#largest)
    this.setMaxTableSize(initialTableSize)
  }

  /** Octets that the dynamic table holds now, as RFC 7541 section 4.1 counts them. */
  get tableSize(): number {
    return this.#table.size
  }

  /**
   * The peer's SETTINGS_HEADER_TABLE_SIZE. The next block says what it means for our table (RFC 7541 section
   * 4.2).
   */
  setMaxTableSize(size: number): void {
    const wanted = Math.min(size, this.#largest)
    if (this.#next === -1 && wanted === this.#table.maxSize) return

    this.#smallest = this.#next === -1 ? wanted : Math.min(this.#smallest, wanted)
    this.#next = wanted
  }

  /** The most octets that `encode` writes for a list. */
  bound(fields: readonly string[]): number {
    return mostEncoded(fields)
  }

  /**
   * Writes a list as a block, or as the next part of one, and says where it ends. `fields`: name, value,
   * name, value …; names in lower case; characters beyond Latin-1 lose their upper bits. `out` has room for
   * `bound(fields)`.
   */
  encode(fields: readonly string[], out: Buffer, at: number): number {
    let next = this.#next === -1 ? at : this.#writeSizes(out, at)
    this.#block += 1

    for (let i = 0; i < fields.length; i += 2) {
      const slot = this.#slots.get(fields[i] as string, i >>> 1)
      next = this.#field(slot, fields[i + 1] as string, false, out, next)
    }

    return next
  }

  /** As `encode`, for a template. `out` has room for `template.bound`. */
  encodeTemplate(template: HpackTemplate, out: Buffer, at: number): number {
    let next = this.#next === -1 ? at : this.#writeSizes(out, at)
    this.#block += 1

    const encoded = template === this.#lastTemplate ? this.#lastEncoded : this.#encodedOf(template)
    if (encoded === undefined || encoded.epoch !== this.#table.epoch || this.#block >= encoded.staleFrom) {
      return this.#writeTemplate(template, out, next)
    }

    const { octets, length, entries } = encoded
    if (length < writeNativelyFrom) for (let i = 0; i < length; i += 1) out[next + i] = octets[i] as number
    else out.set(octets, next)
    for (let i = 0; i < entries.length; i += 1) (entries[i] as TableEntry).lastUsed = this.#block
    next += length
    return next
  }

  #encodedOf(template: HpackTemplate): Encoded | undefined {
    const encoded = this.#templates.get(template)
    this.#lastTemplate = template
    this.#lastEncoded = encoded
    return encoded
  }

  /** Writes a template anew, and keeps what was written if it changed nothing in the table. */
  #writeTemplate(template: HpackTemplate, out: Buffer, at: number): number {
    const { fields } = template
    const table = this.#table
    const { epoch } = table
    let next = at
    this.#crowded = false

    for (let i = 0; i < fields.length; i += 2) {
      const slot = this.#slots.get(fields[i] as string, i >>> 1)
      next = this.#field(slot, fields[i + 1] as string, true, out, next)
    }

    if (table.epoch === epoch) {
      const octets = Uint8Array.prototype.slice.call(out, at, next)
      const staleFrom = this.#crowded ? this.#spanEnd : Infinity
      const encoded: Encoded = {
        epoch,
        staleFrom,
        octets,
        length: next - at,
        entries: this.#entriesOf(fields),
      }
      if (this.#templates.size >= mostTemplates && !this.#templates.has(template)) this.#templates.clear()
      this.#templates.set(template, encoded)
      this.#lastTemplate = template
      this.#lastEncoded = encoded
    }

    return next
  }

  #entriesOf(fields: readonly string[]): readonly TableEntry[] {
    const found: TableEntry[] = []

    for (let i = 0; i < fields.length; i += 2) {
      const entry = this.#slots
        .get(fields[i] as string, i >>> 1)
        .entryOf(fields[i + 1] as string, this.#table)
      if (entry !== undefined) found.push(entry)
    }

    return found
  }

  #field(slot: NameSlot, value: string, constant: boolean, out: Buffer, at: number): number {
    const table = this.#table
    const block = this.#block
    if (slot.never) return this.#literal(slot, slot.staticIndex, value, 0x10, 0x0f, out, at)

    const index = slot.find(value, table, block)
    if (index !== 0) return writeInteger(out, at, 0x80, 0x7f, index)

    const nameIndex = slot.nameIndex(table, block)
    const again =
      slot.candidate !== undefined && (nameIndex === 0 || (slot.learned && slot.candidate === value))
    const size = slot.name.length + value.length + entryOverhead

    if ((constant || again) && slot.kept && this.#hasPlace(size, constant, slot.lost?.value === value)) {
      const next = this.#literal(slot, nameIndex, value, 0x40, 0x3f, out, at)
      const entry = new TableEntry(slot.name, value, true, true)
      entry.lastUsed = block
      table.insert(entry)
      slot.entries.push(entry)
      slot.candidate = undefined
      slot.lost = undefined
      return next
    }

    // A value that is too large for the table counts as a sight of the name only.
    if (slot.learned || nameIndex === 0) slot.candidate = size > table.maxSize >>> 1 ? '' : value
    return this.#literal(slot, nameIndex, value, 0x00, 0x0f, out, at)
  }

  /** Whether an entry of a size may go into the table. */
  #hasPlace(size: number, constant: boolean, returning: boolean): boolean {
    const table = this.#table
    // Half of the table at most for one field.
    if (size > table.maxSize >>> 1) return false
    if (table.size + size <= table.maxSize) return true

    const oldest = table.oldest as TableEntry
    if (this.#block - oldest.lastUsed > span) return true

    if (this.#block >= this.#spanEnd) {
      this.#spanEnd = this.#block + span
      this.#pushes = mostPushed
      this.#returns = mostReturned
    }

    if (returning && this.#returns > 0) {
      this.#returns -= 1
      return true
    }

    if (this.#pushes > 0) {
      this.#pushes -= 1
      return true
    }

    if (constant) this.#crowded = true
    return false
  }

  #literal(
    slot: NameSlot,
    nameIndex: number,
    value: string,
    pattern: number,
    mask: number,
    out: Buffer,
    at: number,
  ): number {
    let next = writeInteger(out, at, pattern, mask, nameIndex)
    if (nameIndex === 0) next = this.#string(slot.name, out, next)
    return this.#string(value, out, next)
  }

  #string(text: string, out: Buffer, at: number): number {
    const { length } = text

    if (this.#huffman) {
      const coded = huffmanLength(text)
      if (coded < length) return writeHuffman(text, out, writeInteger(out, at, 0x80, 0x7f, coded))
    }

    const next = writeInteger(out, at, 0x00, 0x7f, length)
    if (length < writeNativelyFrom) for (let i = 0; i < length; i += 1) out[next + i] = text.charCodeAt(i)
    else (out as unknown as Latin1Writer).latin1Write(text, next, length)
    return next + length
  }

  #writeSizes(out: Buffer, at: number): number {
    const table = this.#table
    let next = at

    if (this.#smallest < this.#next && this.#smallest < table.maxSize) {
      next = writeInteger(out, next, 0x20, 0x1f, this.#smallest)
      table.resize(this.#smallest)
    }

    if (this.#next !== table.maxSize) {
      next = writeInteger(out, next, 0x20, 0x1f, this.#next)
      table.resize(this.#next)
    }

    this.#smallest = -1
    this.#next = -1
    return next
  }
}
