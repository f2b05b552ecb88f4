/**
 * The chunked transfer coding, read (RFC 9112 section 7.1). A state machine over bytes, so that it does not matter where
 * the peer's packets end.
 *
 *     chunked-body = *chunk last-chunk trailer-section CRLF
 *     chunk        = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
 *     chunk-size   = 1*HEXDIG                                              here at most 13: what a number holds exactly
 *     last-chunk   = 1*("0") [ chunk-ext ] CRLF
 *     chunk-ext    = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )
 *     trailer-section = *( field-line CRLF )
 *
 * Extensions are skipped, bounded over the whole body; the bad white space (BWS) in them, which nobody honest sends, is
 * refused; a bare LF or CR ends no line.
 */
import type { HttpHeaders } from '../http/headers.ts'
import { failure, type MessageFailure } from './failure.ts'
import { isFailure, parseTrailers } from './head.ts'
import type { MessageLimits } from './limits.ts'

const size = 0
const extension = 1
const sizeNewline = 2
const data = 3
const dataReturn = 4
const dataNewline = 5
const trailerStart = 6
const trailer = 7
const lastNewline = 8

const longestSize = 13

const token = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
const quoted = '"(?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t\\x20-\\x7e\\x80-\\xff])*"'
const extensions = new RegExp(`^(?:;${token}(?:=(?:${token}|${quoted}))?)+$`)

export class ChunkedDecoder {
  /** Set when the body is complete; the trailers with it, when there were any. */
  done = false
  trailers: HttpHeaders | undefined
  failure: MessageFailure | undefined
  readonly #limits: MessageLimits
  #state = size
  #digits = 0
  #remaining = 0
  #extensions = 0
  /** The extensions of a chunk, or the trailer section, as far as they have come. */
  #section = ''

  constructor(limits: MessageLimits) {
    this.#limits = limits
  }

  /** Bytes of the current chunk that are still to come; while it is more than none, they can be taken as they are. */
  get remaining(): number {
    return this.#state === data ? this.#remaining : 0
  }

  /** Counts bytes of the current chunk as taken. */
  take(count: number): void {
    this.#remaining -= count
    if (this.#remaining === 0) this.#state = dataReturn
  }

  /** Reads what stands between data: up to the next data, the end of the body or the end of the bytes. */
  skip(bytes: Buffer, start: number, end: number): number {
    let at = start
    while (at < end && this.#state !== data && !this.done && this.failure === undefined) {
      if (this.#state === trailer) at = this.#readTrailers(bytes, at, end)
      else this.#step(bytes[at++] as number)
    }
    return at
  }

  #step(byte: number): void {
    switch (this.#state) {
      case size:
        return this.#readSize(byte)
      case extension:
        if (byte === 0x0d) this.#endExtension()
        else if ((byte < 0x20 && byte !== 0x09) || byte === 0x7f) {
          this.#fail('a chunk extension has a control character or a bare LF')
        } else if (++this.#extensions > this.#limits.chunkExtensions) {
          this.#fail(`the chunk extensions are longer than ${this.#limits.chunkExtensions} bytes`)
        } else this.#section += String.fromCharCode(byte)
        return undefined
      case sizeNewline:
        if (byte !== 0x0a) return this.#fail('a chunk size ends with a bare CR')
        this.#digits = 0
        this.#state = this.#remaining === 0 ? trailerStart : data
        return undefined
      case dataReturn:
        if (byte !== 0x0d) return this.#fail('a chunk is longer than its size says')
        this.#state = dataNewline
        return undefined
      case dataNewline:
        if (byte !== 0x0a) return this.#fail('a chunk ends with a bare CR')
        this.#state = size
        return undefined
      case trailerStart:
        if (byte === 0x0d) this.#state = lastNewline
        else {
          this.#section = String.fromCharCode(byte)
          this.#state = trailer
        }
        return undefined
      default:
        if (byte !== 0x0a) return this.#fail('the chunked body ends with a bare CR')
        this.done = true
    }
  }

  #readSize(byte: number): void {
    const digit = hexDigit(byte)
    if (digit >= 0) {
      if (++this.#digits > longestSize) return this.#fail(`a chunk size has more than ${longestSize} digits`)
      this.#remaining = this.#remaining * 16 + digit
      return
    }
    if (this.#digits === 0) return this.#fail('a chunk size is not a hexadecimal number')
    if (byte === 0x0d) this.#state = sizeNewline
    else if (byte === 0x3b) {
      this.#section = ';'
      this.#state = extension
    } else this.#fail('a chunk size is followed by neither CRLF nor ";"')
  }

  #endExtension(): void {
    if (!extensions.test(this.#section)) return this.#fail('a chunk extension is not ;name or ;name=value')
    this.#section = ''
    this.#state = sizeNewline
  }

  #readTrailers(bytes: Buffer, start: number, end: number): number {
    const before = this.#section.length
    const room = this.#limits.headerSize + 4 - before
    const stop = Math.min(end, start + room)
    this.#section += bytes.latin1Slice(start, stop)
    const last = this.#section.indexOf('\r\n\r\n', Math.max(0, before - 3))
    if (last < 0) {
      if (stop - start === room) this.#fail(`the trailers are larger than ${this.#limits.headerSize} bytes`)
      return stop
    }
    const result = parseTrailers(this.#section.slice(0, last), this.#limits)
    if (isFailure(result)) this.failure = result
    else {
      this.trailers = result
      this.done = true
    }
    this.#section = ''
    return start + last + 4 - before
  }

  #fail(message: string): void {
    this.failure = failure(400, message)
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}
