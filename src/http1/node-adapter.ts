/**
 * HttpExchange over the request and response of a node:http server (or the compatibility API of node:http2), so that
 * a Trunkline server can be mounted inside an Express, fastify, NestJS or plain node:http application.
 *
 * What the application did before counts. A body that a parser of the application consumed is taken from
 * `options.body`, `request.rawBody` (a Buffer or string, as NestJS and body-parser's `verify` keep it) or
 * `request.body`, in this order; a parsed object is written as JSON again, or as a form where the content type says
 * so. Header fields the application set on the response are kept unless the answer sets them too.
 *
 * What node:http cannot do: informational responses other than 100, 102 and 103 are not sent.
 */
import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { Duplex } from 'node:stream'
import { type BodyBuffer, composeBody } from '../http/body-buffer.ts'
import { isAuthority, parseAbsoluteTarget } from '../http/authority.ts'
import type {
  BodySink,
  HttpAbort,
  HttpExchange,
  HttpHandler,
  HttpRequest,
  HttpResponseHead,
  Reservation,
} from '../http/exchange.ts'
import { HttpHeaders } from '../http/headers.ts'
import { peerCertificate } from '../http/peer-certificate.ts'

/** An unread body of at most this size is read away to keep the connection; with a larger one it is closed. */
const drainBound = 64 * 1024
const chunkSize = 16 * 1024
const mostAsText = 16 * 1024

const resetCode: Record<HttpAbort['reason'], number> = {
  closed: 0x8,
  reset: 0x8,
  protocol: 0x1,
  too_large: 0xb,
  timeout: 0x8,
  refused: 0x7,
  no_room: 0xb,
}

export interface NodeExchangeOptions {
  /** The body where the framework keeps it elsewhere than on the request: fastify's `request.body`. */
  readonly body?: unknown
}

type NodeRequest = IncomingMessage | Http2ServerRequest
type NodeResponse = ServerResponse | Http2ServerResponse

/** Makes an exchange of a request that a node:http server received. */
export function nodeExchange(
  request: NodeRequest,
  response: NodeResponse,
  options?: NodeExchangeOptions,
): HttpExchange {
  return new NodeExchange(request, response, options, undefined)
}

/**
 * Makes an exchange of a request that a node:http server announced by its event `upgrade`. Answers that are no
 * upgrade close the connection.
 */
export function nodeUpgradeExchange(request: IncomingMessage, socket: Duplex, first: Buffer): HttpExchange {
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(socket as never)
  response.on('finish', () => socket.end())
  return new NodeExchange(request, response, undefined, { socket, first })
}

/** A listener for node:http's `request` event. Refuses a missing, repeated or invalid Host, which node:http does not. */
export function nodeHandler(handler: HttpHandler): (request: NodeRequest, response: NodeResponse) => void {
  return (request, response) => {
    const exchange = nodeExchange(request, response)
    if (exchange.request.authority !== '') return handler(exchange)
    exchange.respond(
      { status: 400, headers: new HttpHeaders(['content-type', 'text/plain; charset=utf-8']) },
      'The Host header field is missing, repeated or invalid; exactly one host[:port] is needed.\n',
    )
  }
}

class NodeExchange implements HttpExchange {
  readonly request: HttpRequest
  readonly #request: NodeRequest
  readonly #response: NodeResponse
  readonly #upgrade: { socket: Duplex; first: Buffer } | undefined
  /** What the application's parser left of the body. */
  readonly #parsed: Buffer | 'lost' | undefined
  #started = false
  #complete = false
  #bodiless = false
  #received = false
  #over = false
  #aborted: HttpAbort | undefined
  #chunk: Buffer | undefined
  #chunkUsed = 0
  #listeners: {
    drain?: () => void
    abort?: (why: HttpAbort) => void
    end?: () => void
  } = {}

  constructor(
    request: NodeRequest,
    response: NodeResponse,
    options: NodeExchangeOptions | undefined,
    upgrade: { socket: Duplex; first: Buffer } | undefined,
  ) {
    this.#request = request
    this.#response = response
    this.#upgrade = upgrade
    this.#parsed = upgrade === undefined ? parsedBody(request, options) : undefined
    this.request = describe(request, this.#parsed)
    response.on('error', () => {})
    response.on('drain', () => this.#listeners.drain?.())
    response.on('finish', () => this.#finish(undefined))
    response.on('close', () => {
      if (response.writableFinished) this.#finish(undefined)
      else this.#finish({ reason: 'closed', message: 'the peer closed the connection', processed: 'maybe' })
    })
  }

  #finish(why: HttpAbort | undefined): void {
    if (this.#over) return
    this.#over = true
    this.#aborted = why
    if (why !== undefined) this.#listeners.abort?.(why)
    this.#listeners.end?.()
  }

  get started(): boolean {
    return this.#started
  }

  receive(sink: BodySink): void {
    if (this.#received) throw new Error('receive() was called already; a body is read once')
    this.#received = true
    const request = this.#request
    const parsed = this.#parsed

    if (parsed === 'lost') {
      sink.abort({
        reason: 'protocol',
        message:
          'the body was consumed before Trunkline saw it; mount Trunkline before the body parser, or keep the body in request.rawBody',
        processed: 'maybe',
      })
      return
    }
    if (parsed !== undefined || this.#upgrade !== undefined) {
      if (parsed !== undefined && parsed.length > 0) sink.data(parsed, 0, parsed.length)
      sink.end(undefined)
      return
    }
    if (request.readableEnded) {
      sink.end(trailersOf(request))
      return
    }
    if (request.readableAborted || (request.destroyed && !request.complete)) {
      sink.abort(peerLeft)
      return
    }

    this.#continue()
    let over = false
    request.on('data', (bytes: Buffer) => {
      if (!over) sink.data(bytes, 0, bytes.length)
    })
    request.on('end', () => {
      if (over) return
      over = true
      sink.end(trailersOf(request))
    })
    const cut = () => {
      if (over) return
      over = true
      sink.abort(peerLeft)
    }
    request.on('error', cut)
    request.on('close', cut)
  }

  /** node:http says 100 by itself unless somebody listens for `checkContinue`. */
  #continue(): void {
    const response = this.#response
    if (!(response instanceof ServerResponse) || this.#started) return
    if (this.request.headers.get('expect')?.toLowerCase() !== '100-continue') return
    const server = (this.#request.socket as { server?: { listenerCount(event: string): number } }).server
    if (server !== undefined && server.listenerCount('checkContinue') > 0) response.writeContinue()
  }

  pause(): void {
    this.#request.pause()
  }

  resume(): void {
    this.#request.resume()
  }

  inform(head: HttpResponseHead): void {
    const response = this.#response
    if (this.#started || this.#over) return
    if (head.status === 100) response.writeContinue()
    if (head.status === 102 && response instanceof ServerResponse) response.writeProcessing()
    if (head.status === 103) response.writeEarlyHints(grouped(head.headers))
  }

  respond(head: HttpResponseHead, body: string | Buffer | undefined): void {
    if (!this.#begin(head.status)) return
    this.#complete = true
    const length = body === undefined ? 0 : typeof body === 'string' ? Buffer.byteLength(body) : body.length
    // 204 must not have a length (RFC 9110 section 8.6); what a 304 leaves out is unknown here.
    const mute = head.status === 204 || head.status === 304
    this.#writeHead(head, mute ? undefined : length)
    if (this.#bodiless || body === undefined || length === 0) this.#response.end()
    else this.#response.end(body)
  }

  compose(): BodyBuffer {
    return composeBody()
  }

  /** node:http keeps what it is given, and sends the head with the body only when that is text. */
  respondWith(head: HttpResponseHead, body: BodyBuffer): void {
    body.close()
    const { bytes, start, position } = body
    this.respond(head, body.size <= mostAsText ? bytes.utf8Slice(start, position) : body.copy())
  }

  start(head: HttpResponseHead): void {
    if (!this.#begin(head.status)) return
    this.#writeHead(head, undefined)
    if (!this.#bodiless) (this.#response as ServerResponse).flushHeaders()
  }

  #begin(status: number): boolean {
    if (this.#started) throw new Error('the answer was begun already')
    this.#started = true
    this.#bodiless = status === 204 || status === 304 || this.request.method === 'HEAD'
    return !this.#over && !this.#response.destroyed
  }

  #writeHead(head: HttpResponseHead, length: number | undefined): void {
    const response = this.#response
    const { list } = head.headers
    for (let i = 0; i < list.length; i += 2) {
      const name = list[i] as string
      const value = list[i + 1] as string
      const first = list.indexOf(name) === i
      if (first && name !== 'vary') response.setHeader(name, value)
      else response.appendHeader(name, value)
    }
    if (length !== undefined) response.setHeader('content-length', length)
    if (response instanceof ServerResponse && this.#leavesMuchUnread())
      response.setHeader('connection', 'close')
    response.statusCode = head.status
    if (length === undefined && response instanceof ServerResponse) response.writeHead(head.status)
  }

  #leavesMuchUnread(): boolean {
    if (this.#received || this.#parsed !== undefined || this.#request.complete) return false
    const { headers } = this.request
    if (headers.has('transfer-encoding')) return true
    return Number(headers.get('content-length') ?? 0) > drainBound
  }

  reserve(size: number): Reservation {
    if (this.#chunk === undefined || this.#chunk.length - this.#chunkUsed < size) {
      this.#chunk = Buffer.allocUnsafeSlow(Math.max(size, chunkSize))
      this.#chunkUsed = 0
    }
    return { bytes: this.#chunk, start: this.#chunkUsed }
  }

  commit(size: number, end: boolean): boolean {
    const from = this.#chunkUsed
    this.#chunkUsed += size
    return this.write((this.#chunk as Buffer).subarray(from, from + size), end)
  }

  write(bytes: Buffer, end: boolean): boolean {
    if (this.#complete || this.#over) return true
    this.#complete = end
    const silent = this.#bodiless || bytes.length === 0
    if (end) {
      if (silent) this.#response.end()
      else this.#response.end(bytes)
      return true
    }
    return silent || (this.#response as ServerResponse).write(bytes)
  }

  end(trailers?: HttpHeaders): void {
    if (this.#complete || this.#over) return
    this.#complete = true
    if (trailers !== undefined && !this.#bodiless) this.#response.addTrailers(grouped(trailers) as never)
    this.#response.end()
  }

  onDrain(listener: () => void): void {
    this.#listeners.drain = listener
  }

  abort(why: HttpAbort): void {
    if (this.#over) return
    const response = this.#response
    if (response instanceof ServerResponse) response.destroy()
    else response.stream.close(resetCode[why.reason])
    this.#finish(why)
  }

  onAbort(listener: (why: HttpAbort) => void): void {
    if (this.#aborted !== undefined) listener(this.#aborted)
    else this.#listeners.abort = listener
  }

  onEnd(listener: () => void): void {
    if (this.#over) listener()
    else this.#listeners.end = listener
  }

  upgrade(head: HttpResponseHead): Duplex {
    if (this.#upgrade === undefined) {
      throw new Error(
        "the connection cannot be handed over; give the server's event 'upgrade' to nodeUpgradeExchange()",
      )
    }
    this.#begin(head.status)
    this.#complete = true
    const { socket, first } = this.#upgrade
    ;(this.#response as ServerResponse).detachSocket(socket as never)
    let text = `HTTP/1.1 ${head.status} Switching Protocols\r\nconnection: upgrade\r\n`
    for (const [name, value] of head.headers) text += `${name}: ${value}\r\n`
    socket.write(`${text}\r\n`, 'latin1')
    if (first.length > 0) socket.unshift(first)
    this.#finish(undefined)
    return socket
  }
}

const peerLeft: HttpAbort = {
  reason: 'closed',
  message: 'the peer closed the connection before its body was complete',
  processed: 'maybe',
}

function describe(request: NodeRequest, parsed: Buffer | 'lost' | undefined): HttpRequest {
  const list: string[] = []
  const raw = request.rawHeaders
  const hosts: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase()
    const value = raw[i + 1] as string
    if (name === 'host' || name === ':authority') hosts.push(value)
    // A parser of the application has undone framing and coding.
    if (parsed !== undefined && undone.has(name)) continue
    if (!name.startsWith(':')) list.push(name, value)
  }
  if (parsed !== undefined && parsed !== 'lost') list.push('content-length', String(parsed.length))

  const url = request.url ?? '/'
  const absolute = url.startsWith('/') ? undefined : parseAbsoluteTarget(url)
  const [host] = hosts
  const valid = host !== undefined && isAuthority(host) && hosts.every((other) => other === host)
  const single = valid && (hosts.length === 1 || request.httpVersionMajor === 2)
  const { socket } = request

  return {
    method: request.method ?? 'GET',
    target: absolute?.target ?? url,
    authority: single ? host : '',
    version: request.httpVersionMajor === 2 ? '2' : request.httpVersionMinor === 0 ? '1.0' : '1.1',
    headers: new HttpHeaders(list),
    secure: (socket as { encrypted?: boolean }).encrypted === true,
    certificate: peerCertificate(socket),
    remoteAddress: addressOf(socket.remoteAddress, socket.remotePort),
  }
}

const undone = new Set(['content-length', 'content-encoding', 'transfer-encoding', 'expect'])

function addressOf(address: string | undefined, port: number | undefined): string {
  if (address === undefined) return ''
  const host = address.includes(':') ? `[${address}]` : address
  return port === undefined ? host : `${host}:${port}`
}

/** The body as the application left it; `undefined` when the stream still has it or there is none. */
function parsedBody(
  request: NodeRequest,
  options: NodeExchangeOptions | undefined,
): Buffer | 'lost' | undefined {
  const { headers } = request
  const framed = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
  const given = options?.body
  if (given === undefined) {
    if (!request.readableDidRead && !request.readableEnded) return undefined
    if (!framed && request.httpVersionMajor < 2) return undefined
  }

  const kept = request as { rawBody?: unknown; body?: unknown }
  const body = given ?? kept.rawBody ?? kept.body
  if (body === undefined) return 'lost'
  if (Buffer.isBuffer(body)) return body
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength)

  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? ''
  // A string under a JSON type can be the parsed value or the raw text; body parsers hand over values.
  const json = type === '' || type === 'application/json' || type.endsWith('+json')
  if (typeof body === 'string' && !json) return Buffer.from(body)
  if (type === 'application/x-www-form-urlencoded' && typeof body === 'object' && body !== null) {
    return Buffer.from(formOf(body as Record<string, unknown>))
  }
  if (!json) return 'lost'
  if (typeof body === 'string' && typeof kept.rawBody === 'string' && given === undefined)
    return Buffer.from(body)
  return Buffer.from(JSON.stringify(body))
}

function formOf(fields: Record<string, unknown>): string {
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(fields)) {
    for (const each of Array.isArray(value) ? value : [value]) form.append(name, String(each))
  }
  return form.toString()
}

function trailersOf(request: NodeRequest): HttpHeaders | undefined {
  const raw = request.rawTrailers
  if (raw.length === 0) return undefined
  return new HttpHeaders(raw.map((text, index) => (index % 2 === 0 ? text.toLowerCase() : text)))
}

/** Fields as node's functions take them. */
function grouped(headers: HttpHeaders): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>
  for (const [name, value] of headers) {
    const before = fields[name]
    if (before === undefined) fields[name] = value
    else fields[name] = Array.isArray(before) ? [...before, value] : [before, value]
  }
  return fields
}
