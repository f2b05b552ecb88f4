/** An exchange whose bodies are base64 on the wire, and bytes for whoever holds it. */
import type { Duplex } from 'node:stream'
import type { BodyBuffer } from '../../http/body-buffer.ts'
import type {
  BodySink,
  HttpAbort,
  HttpExchange,
  HttpRequest,
  HttpResponseHead,
  Reservation,
} from '../../http/exchange.ts'
import type { HttpHeaders } from '../../http/headers.ts'
import { TextBody, textOf } from './text-body.ts'

const nothing = Buffer.alloc(0)

export class TextExchange implements HttpExchange {
  readonly #exchange: HttpExchange
  #reserved: Buffer = nothing

  constructor(exchange: HttpExchange) {
    this.#exchange = exchange
  }

  get request(): HttpRequest {
    return this.#exchange.request
  }

  get started(): boolean {
    return this.#exchange.started
  }

  // ── what is different ──

  receive(sink: BodySink): void {
    this.#exchange.receive(new TextBody(sink))
  }

  reserve(size: number): Reservation {
    this.#reserved = Buffer.allocUnsafe(size)
    return { bytes: this.#reserved, start: 0 }
  }

  commit(size: number, end: boolean): boolean {
    return this.write(this.#reserved.subarray(0, size), end)
  }

  write(bytes: Buffer, end: boolean): boolean {
    return this.#exchange.write(textOf(bytes), end)
  }

  respond(head: HttpResponseHead, body: string | Buffer | undefined): void {
    this.#exchange.respond(head, body === undefined ? undefined : textOf(Buffer.from(body)))
  }

  respondWith(head: HttpResponseHead, body: BodyBuffer): void {
    const bytes = body.copy()
    body.close()
    this.respond(head, bytes)
  }

  // ── what is not ──

  compose(): BodyBuffer {
    return this.#exchange.compose()
  }

  end(trailers?: HttpHeaders): void {
    this.#exchange.end(trailers)
  }

  onDrain(listener: () => void): void {
    this.#exchange.onDrain(listener)
  }

  pause(): void {
    this.#exchange.pause()
  }

  resume(): void {
    this.#exchange.resume()
  }

  inform(head: HttpResponseHead): void {
    this.#exchange.inform(head)
  }

  start(head: HttpResponseHead): void {
    this.#exchange.start(head)
  }

  abort(why: HttpAbort): void {
    this.#exchange.abort(why)
  }

  onAbort(listener: (why: HttpAbort) => void): void {
    this.#exchange.onAbort(listener)
  }

  onEnd(listener: () => void): void {
    this.#exchange.onEnd(listener)
  }

  upgrade(head: HttpResponseHead): Duplex {
    return this.#exchange.upgrade(head)
  }
}
