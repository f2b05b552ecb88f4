/**
 * Bodies in base64 (`application/grpc-web-text`), which may be cut anywhere and padded wherever a piece was written.
 *
 *     body   = *piece
 *     piece  = *( 4digit ) [ 2digit "==" / 3digit "=" ]
 *     digit  = ALPHA / DIGIT / "+" / "/"
 *
 * Follows gRPC's "gRPC-Web" and RFC 4648 section 4.
 */
import type { BodySink, HttpAbort } from '../../http/exchange.ts'
import type { HttpHeaders } from '../../http/headers.ts'

const piece = /(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?/y

/** As many digits as are decoded at once. */
const most = 64 * 1024

const malformed: HttpAbort = {
  reason: 'protocol',
  message: 'the body is not base64, as application/grpc-web-text says it is',
  processed: 'maybe',
}

/** Passes the bytes on that a body in base64 stands for. */
export class TextBody implements BodySink {
  readonly #sink: BodySink
  /** Up to three digits. */
  #rest = ''
  #over = false

  constructor(sink: BodySink) {
    this.#sink = sink
  }

  data(bytes: Buffer, start: number, end: number): void {
    for (let from = start; from < end && !this.#over; from += most) {
      const text = this.#rest + bytes.latin1Slice(from, Math.min(end, from + most))
      const whole = text.length - (text.length % 4)
      this.#rest = text.slice(whole)
      this.#decode(text.slice(0, whole))
    }
  }

  #decode(text: string): void {
    let at = 0
    while (at < text.length && !this.#over) {
      piece.lastIndex = at
      const [digits = ''] = piece.exec(text) ?? []
      if (digits === '') return this.#break()
      at += digits.length
      const bytes = Buffer.from(digits, 'base64')
      this.#sink.data(bytes, 0, bytes.length)
    }
  }

  end(trailers: HttpHeaders | undefined): void {
    if (this.#over) return
    // The last padding is often left away.
    if (this.#rest !== '') this.#decode(this.#rest.padEnd(4, '='))
    if (this.#over) return
    this.#over = true
    this.#sink.end(trailers)
  }

  abort(why: HttpAbort): void {
    if (this.#over) return
    this.#over = true
    this.#sink.abort(why)
  }

  #break(): void {
    this.abort(malformed)
  }
}

/** A piece of a body. */
export function textOf(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('base64'), 'latin1')
}
