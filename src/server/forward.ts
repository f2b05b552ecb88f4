/**
 * Passes one request on to another HTTP server and its answer back, as it is, each at the pace of whoever reads it.
 *
 * Bodies that are known to be small are gathered, so that they go on with their Content-Length; others are chunked.
 */
import { collect } from '../http/body.ts'
import type {
  HttpAbort,
  HttpClientExchange,
  HttpExchange,
  HttpRequest,
  HttpResponseHead,
  HttpTransport,
  ResponseSink,
} from '../http/exchange.ts'
import { HttpHeaders } from '../http/headers.ts'

/** Up to this size a body is gathered, in bytes. */
const gathered = 64 * 1024

/** Fields of one hop, which the next hop writes itself. RFC 9110 section 7.6.1. */
const ofOneHop = [
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]
const notSent = new Set([...ofOneHop, 'expect', 'host'])
const notAnswered = new Set([...ofOneHop, 'date'])

/** Answers an exchange by what the transport's server says. The transport is closed with it. */
export function forward(exchange: HttpExchange, transport: HttpTransport): void {
  const { request } = exchange
  const answer = new Answer(exchange, transport)
  const size = bodySize(request)

  if (size === 0) answer.send(undefined)
  else if (size <= gathered) {
    collect(exchange, gathered, [], (body, why) => {
      if (body !== undefined) answer.send(body)
      else if (why?.reason === 'timeout') answerWith(exchange, 408, why.message)
    })
  } else stream(exchange, answer.send('stream'))
}

/** Answers in plain text. */
export function answerWith(exchange: HttpExchange, status: number, message: string): void {
  exchange.respond({ status, headers: new HttpHeaders(['content-type', 'text/plain']) }, `${message}\n`)
}

function stream(exchange: HttpExchange, onward: HttpClientExchange): void {
  onward.onDrain(() => exchange.resume())
  exchange.receive({
    data(bytes, start, end) {
      if (!onward.write(Buffer.from(bytes.subarray(start, end)), false)) exchange.pause()
    },
    end: (trailers) => onward.end(trailers),
    abort: () => onward.cancel(),
  })
}

/** The way back. */
class Answer implements ResponseSink {
  readonly #exchange: HttpExchange
  readonly #transport: HttpTransport
  #onward: HttpClientExchange | undefined
  /** An answer that is gathered. */
  #head: HttpResponseHead | undefined
  readonly #pieces: Buffer[] = []

  constructor(exchange: HttpExchange, transport: HttpTransport) {
    this.#exchange = exchange
    this.#transport = transport
  }

  send(body: Buffer | undefined | 'stream'): HttpClientExchange {
    const { method, target, authority, headers } = this.#exchange.request
    const head = {
      method,
      target,
      // HTTP/1.0 may leave Host out.
      authority: authority === '' ? 'localhost' : authority,
      headers: without(headers, notSent),
    }
    const onward = this.#transport.request(head, body, this)
    this.#onward = onward
    this.#exchange.onDrain(() => onward.resume())
    this.#exchange.onAbort(() => {
      onward.cancel()
      this.#close()
    })
    return onward
  }

  inform(head: HttpResponseHead): void {
    this.#exchange.inform({ status: head.status, headers: without(head.headers, notAnswered) })
  }

  head({ status, headers }: HttpResponseHead): void {
    const head = { status, headers: without(headers, notAnswered) }
    const length = Number(headers.get('content-length') ?? Number.NaN)
    if (status === 204 || status === 304 || length <= gathered) this.#head = head
    else this.#exchange.start(head)
    // The size of what a GET would answer, without its bytes.
    if (this.#exchange.request.method === 'HEAD' && length <= gathered)
      this.#pieces.push(Buffer.alloc(length))
  }

  data(bytes: Buffer, start: number, end: number): void {
    const copy = Buffer.from(bytes.subarray(start, end))
    if (this.#head !== undefined) this.#pieces.push(copy)
    else if (!this.#exchange.write(copy, false)) this.#onward?.pause()
  }

  end(trailers: HttpHeaders | undefined): void {
    if (this.#head === undefined) this.#exchange.end(trailers)
    else this.#exchange.respond(this.#head, Buffer.concat(this.#pieces))
    this.#close()
  }

  abort(why: HttpAbort): void {
    if (this.#exchange.started) this.#exchange.abort(why)
    else answerWith(this.#exchange, 502, why.message)
    this.#close()
  }

  #close(): void {
    void this.#transport.close(0)
  }
}

/** In bytes; 0 for none, Infinity when it is not known before its end. */
function bodySize({ headers }: HttpRequest): number {
  if (headers.has('transfer-encoding')) return Infinity
  return Number(headers.get('content-length') ?? 0)
}

function without(headers: HttpHeaders, names: ReadonlySet<string>): HttpHeaders {
  const kept = new HttpHeaders()
  for (const [name, value] of headers) if (!names.has(name)) kept.add(name, value)
  return kept
}
