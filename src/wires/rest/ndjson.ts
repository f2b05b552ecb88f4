/**
 * Messages one a line (application/x-ndjson), pure: no I/O, nothing of calls.
 *
 *     stream  = *( line LF ) [ line ]
 *     line    = json / problem / blank
 *     json    = a JSON text without line breaks, one message
 *     problem = `{"$problem":` problem `}`     the stream failed; nothing follows
 *     blank   = *( SP / HTAB / CR )            ignored
 *
 * No message begins with `{"$problem":`: a server refuses to send one. A stream that ended without `problem` is
 * complete exactly when its HTTP body is (RFC 9112, 8: the last chunk, or Content-Length, arrived).
 */
import { Gathered } from '../../http/gathered.ts'
import type { PartialBody } from '../../http/partial-bodies.ts'

/** What a line of an error begins with. */
export const problemPrefix = '{"$problem":'

const prefix = Buffer.from(problemPrefix)

/** Whether a line is an error. */
export function isProblem(bytes: Buffer, start: number, end: number): boolean {
  if (end - start < prefix.length || bytes[start + 2] !== prefix[2]) return false
  return bytes.compare(prefix, 0, prefix.length, start, start + prefix.length) === 0
}

/** The media types by which NDJSON is known; the first is the one we send. */
export const ndjsonTypes = ['application/x-ndjson', 'application/ndjson', 'application/jsonl'] as const

/** A line that is longer than its limit. */
export class LineTooLong extends Error {
  override readonly name = 'LineTooLong'

  constructor(limit: number) {
    super(`a line is longer than ${limit} bytes`)
  }
}

/** Hears of a line without its line break; the bytes are borrowed. */
export type OnLine = (bytes: Buffer, start: number, end: number) => void

const lineFeed = 0x0a

/** Cuts chunks of bytes into lines, whatever the chunks' borders. */
export class LineSplitter {
  readonly #limit: number
  readonly #line: OnLine
  /** Bytes of a line that began in an earlier chunk. */
  readonly #rest: Gathered

  /**
   * @param limit the longest line in bytes
   * @param partial where a line that has come in part is counted; when that has no room, no more lines come
   */
  constructor(limit: number, line: OnLine, partial?: PartialBody) {
    this.#limit = limit
    this.#line = line
    this.#rest = new Gathered(partial)
  }

  /** Takes a chunk; throws LineTooLong. */
  push(bytes: Buffer, start: number, end: number): void {
    let from = start
    while (from < end) {
      const at = bytes.indexOf(lineFeed, from)
      if (at < 0 || at >= end) {
        this.#keep(bytes, from, end)
        return
      }
      this.#complete(bytes, from, at)
      from = at + 1
    }
  }

  /** The stream is over: what is left is a line, too. */
  finish(): void {
    if (this.#rest.size === 0) return
    const rest = this.#rest.take()
    this.#emit(rest, 0, rest.length)
  }

  /** Drops what is not a whole line. */
  forget(): void {
    this.#rest.clear()
  }

  #complete(bytes: Buffer, from: number, at: number): void {
    if (this.#rest.size === 0) this.#emit(bytes, from, at)
    else if (this.#keep(bytes, from, at)) this.finish()
  }

  #keep(bytes: Buffer, from: number, end: number): boolean {
    if (this.#rest.size + end - from > this.#limit) throw new LineTooLong(this.#limit)
    return this.#rest.add(bytes, from, end)
  }

  #emit(bytes: Buffer, start: number, end: number): void {
    if (end - start > this.#limit) throw new LineTooLong(this.#limit)
    let from = start
    while (from < end && isSpace(bytes[from] as number)) from++
    if (from < end) this.#line(bytes, from, end)
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d
}
