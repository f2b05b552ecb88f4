/**
 * HOT PATH (varints) and the fields that bodies of frames are made of.
 *
 *     varint    = *( %x80-FF ) %x00-7F          ; LEB128, least significant group first, below 2^32
 *     text      = varint *OCTET                 ; length in bytes, then UTF-8
 *     bytes     = varint *OCTET
 *     metadata  = varint *( text value )        ; number of pairs
 *     value     = text | bytes                  ; bytes when the name ends in "-bin"
 */
import { Metadata, isMetadataName } from '../../call/metadata.ts'
import type { Writer } from '../../codec/writer.ts'
import { ProtocolError } from './protocol-error.ts'

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export const largestVarint = 0xffff_ffff

/** Reads fields of one body. One of it serves a connection: `set` it to each body. */
export class Cursor {
  bytes: Buffer = Buffer.alloc(0)
  at = 0
  end = 0

  set(bytes: Buffer, start: number, end: number): this {
    this.bytes = bytes
    this.at = start
    this.end = end
    return this
  }

  byte(): number {
    if (this.at >= this.end) throw new ProtocolError('the body of a frame ends too early')
    return this.bytes[this.at++] as number
  }

  varint(): number {
    const first = this.byte()
    if (first < 0x80) return first
    let value = first & 0x7f
    let factor = 0x80

    for (;;) {
      const next = this.byte()
      value += (next & 0x7f) * factor
      if (value > largestVarint) throw new ProtocolError('a varint is larger than 32 bits')
      if (next < 0x80) return value
      factor *= 0x80
      if (factor > 0x1000_0000) throw new ProtocolError('a varint is longer than five bytes')
    }
  }

  /** The range of a length-prefixed field, which is skipped. */
  #skip(): number {
    const length = this.varint()
    const start = this.at
    if (length > this.end - start) throw new ProtocolError('a field is longer than the frame it is in')
    this.at = start + length
    return start
  }

  text(): string {
    const start = this.#skip()
    return decodeText(this.bytes, start, this.at)
  }

  /** A copy, free to keep. */
  copy(): Buffer {
    const start = this.#skip()
    return Buffer.from(this.bytes.subarray(start, this.at))
  }

  /**
   * @param limit The largest size of all pairs together, in bytes.
   */
  metadata(limit: number): Metadata {
    const start = this.at
    const metadata = new Metadata()
    this.metadataInto(metadata, limit, start)
    return metadata
  }

  metadataInto(metadata: Metadata, limit: number, start: number = this.at): void {
    const count = this.varint()

    for (let index = 0; index < count; index++) {
      const name = this.text().toLowerCase()
      const value = name.endsWith('-bin') ? new Uint8Array(this.copy()) : this.text()
      // A name that no other wire could carry, or that is another wire's own, goes no further.
      if (isMetadataName(name)) metadata.received(name, value)
      // Checked as it grows: the frame's limit bounds it before, this one is what was agreed.
      if (this.at - start > limit) break
    }

    if (this.at - start > limit) {
      throw new ProtocolError(`metadata of more than the ${limit} bytes that were agreed`)
    }
  }

  /** Everything must have been read. */
  finish(): void {
    if (this.at !== this.end) throw new ProtocolError(`${this.end - this.at} bytes too many in a frame`)
  }
}

function decodeText(bytes: Buffer, start: number, end: number): string {
  for (let at = start; at < end; at++) {
    if ((bytes[at] as number) >= 0x80) {
      try {
        return strictUtf8.decode(bytes.subarray(start, end))
      } catch {
        throw new ProtocolError('a text is not UTF-8')
      }
    }
  }

  return bytes.latin1Slice(start, end)
}

export function writeVarint(writer: Writer, value: number): void {
  writer.reserve(5)
  const bytes = writer.bytes
  let rest = value >>> 0
  let at = writer.position

  while (rest > 0x7f) {
    bytes[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }

  bytes[at++] = rest
  writer.position = at
}

export function writeText(writer: Writer, text: string): void {
  const length = Buffer.byteLength(text)
  writeVarint(writer, length)
  writer.reserve(length)
  writer.bytes.utf8Write(text, writer.position, length)
  writer.position += length
}

export function writeBytes(writer: Writer, bytes: Uint8Array): void {
  writeVarint(writer, bytes.length)
  writer.reserve(bytes.length)
  writer.bytes.set(bytes, writer.position)
  writer.position += bytes.length
}

export function writeMetadata(writer: Writer, metadata: Metadata): void {
  const flat = metadata.flat
  writeVarint(writer, flat.length / 2)

  for (let index = 0; index < flat.length; index += 2) {
    const value = flat[index + 1] as string | Uint8Array
    writeText(writer, flat[index] as string)
    if (typeof value === 'string') writeText(writer, value)
    else writeBytes(writer, value)
  }
}
