/**
 * Server-sent events (WHATWG HTML, 9.2), pure: written by the server half, read by the client half.
 *
 *     stream  = [ BOM ] *event
 *     event   = *( comment / field ) EOL
 *     comment = ":" *any EOL                  sent when nothing else was for 15 s
 *     field   = name [ ":" [ SP ] value ] EOL
 *     EOL     = CR LF / LF / CR
 *
 *     data: {"id":"7"}          a message
 *     event: problem            the stream failed; its data is problem+json, nothing follows
 *     event: end                the stream is complete, so that a browser does not connect again
 */
import { Gathered } from '../../http/gathered.ts'
import { LineTooLong } from './ndjson.ts'

export const sseType = 'text/event-stream'

/** What stands around a message, whose JSON has no line breaks. */
export const sseBegin = 'data: '
export const sseStop = '\n\n'

export function sseProblem(problem: string): string {
  return `event: problem\ndata: ${problem}\n\n`
}

export const sseEnd = 'event: end\ndata: {}\n\n'

export const sseKeepAlive = ': keep-alive\n\n'

/** Hears of an event: its type (`message` when it names none) and its data. */
export type OnEvent = (type: string, data: string) => void

const lineFeed = 0x0a
const carriageReturn = 0x0d

/** Reads events from chunks of bytes, whatever the chunks' borders. Comments and events without data are dropped. */
export class SseParser {
  readonly #limit: number
  readonly #event: OnEvent
  readonly #line = new Gathered()
  #afterReturn = false
  #first = true
  #type = ''
  #data: string | undefined
  #dataSize = 0

  /** @param limit the largest event in bytes */
  constructor(limit: number, event: OnEvent) {
    this.#limit = limit
    this.#event = event
  }

  /** Takes a chunk; throws LineTooLong. What an end of the stream leaves unfinished is dropped, as the standard says. */
  push(bytes: Buffer, start: number, end: number): void {
    let from = start
    for (let at = start; at < end; at++) {
      const byte = bytes[at]
      if (byte === lineFeed && this.#afterReturn && at === from) {
        this.#afterReturn = false
        from = at + 1
        continue
      }
      this.#afterReturn = false
      if (byte !== lineFeed && byte !== carriageReturn) continue

      this.#keep(bytes, from, at)
      this.#endLine()
      this.#afterReturn = byte === carriageReturn
      from = at + 1
    }
    this.#keep(bytes, from, end)
  }

  /** Drops what is not a whole event. */
  forget(): void {
    this.#line.clear()
    this.#data = undefined
  }

  #keep(bytes: Buffer, from: number, end: number): void {
    if (from === end) return
    if (this.#line.size + end - from + this.#dataSize > this.#limit) throw new LineTooLong(this.#limit)
    this.#line.add(bytes, from, end)
  }

  #endLine(): void {
    let text = this.#line.take().toString('utf8')
    if (this.#first && text.startsWith('\ufeff')) text = text.slice(1)
    this.#first = false

    if (text === '') this.#dispatch()
    else if (!text.startsWith(':')) this.#field(text)
  }

  #field(text: string): void {
    const colon = text.indexOf(':')
    const name = colon < 0 ? text : text.slice(0, colon)
    const value = colon < 0 ? '' : text.slice(text.charCodeAt(colon + 1) === 0x20 ? colon + 2 : colon + 1)

    if (name === 'event') this.#type = value
    if (name !== 'data') return
    this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`
    this.#dataSize += value.length + 1
  }

  #dispatch(): void {
    const type = this.#type === '' ? 'message' : this.#type
    const data = this.#data
    this.#type = ''
    this.#data = undefined
    this.#dataSize = 0
    if (data !== undefined) this.#event(type, data)
  }
}
