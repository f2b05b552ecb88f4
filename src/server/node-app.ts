/**
 * An existing node:http application behind Trunkline: `serve(implementation, { fallback: fromNodeHandler(app) })`.
 *
 * fastify, NestJS, Express and plain listeners want node:http's own request and response objects. So the request goes on,
 * as a proxy would send it, over a connection in memory to a node:http server that listens nowhere.
 */
import http from 'node:http'
import { type Duplex, duplexPair } from 'node:stream'
import type { HttpExchange, HttpTransport } from '../http/exchange.ts'
import { HttpHeaders } from '../http/headers.ts'
import { http1Transport } from '../http1/client.ts'

/** What node:http calls for a request: an Express application, `fastify.routing`, NestJS' HTTP adapter, or a function. */
export type NodeHandler = (request: http.IncomingMessage, response: http.ServerResponse) => unknown

/** Header fields of one hop, which the next hop writes itself. RFC 9110 section 7.6.1. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/**
 * Puts Trunkline in front of an existing application: what no contract knows goes on to it.
 *
 * @param handler What node:http's `request` event would call.
 * @returns A `fallback` for `serve`.
 *
 * @example
 * ```ts
 * import { call, contract, fromNodeHandler, implement, serve } from 'trunkline'
 *
 * const Ping = contract('acme.ping.v1', { ping: call({ rest: 'GET /ping' }) })
 * const fallback = fromNodeHandler((request, response) => response.end(`old ${request.url}`))
 *
 * await using server = await serve(implement(Ping, { ping() {} }), { port: 0, fallback })
 * const answer = await fetch(`http://127.0.0.1:${server.port}/legacy`)
 * console.log(await answer.text()) // old /legacy
 * ```
 */
export function fromNodeHandler(handler: NodeHandler): (exchange: HttpExchange) => void {
  // Trunkline's own listener has enforced sizes and times already.
  const server = http.createServer(
    { requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 },
    handler as http.RequestListener,
  )
  const transport = http1Transport(async () => inMemory(server), {})
  return (exchange) => forward(exchange, transport)
}

/** Two ends of a connection, one of them given to the server as if it had been accepted. */
function inMemory(server: http.Server): Duplex {
  const [near, far] = duplexPair()
  server.emit('connection', far)
  return near
}

function forward(exchange: HttpExchange, transport: HttpTransport): void {
  const { method, target, authority, headers, remoteAddress, secure } = exchange.request
  const sent = endToEnd(headers)
  sent.add('x-forwarded-for', addressOnly(remoteAddress)).add('x-forwarded-proto', secure ? 'https' : 'http')

  const onward = transport.request({ method, target, authority, headers: sent }, 'stream', {
    inform: (head) => exchange.inform(head),
    head: ({ status, headers: received }) => exchange.start({ status, headers: endToEnd(received) }),
    data(bytes, start, end) {
      if (!exchange.write(Buffer.from(bytes.subarray(start, end)), false)) onward.pause()
    },
    end: (trailers) => exchange.end(trailers),
    abort(why) {
      if (exchange.started) exchange.abort(why)
      else
        exchange.respond(
          { status: 502, headers: new HttpHeaders(['content-type', 'text/plain']) },
          `${why.message}\n`,
        )
    },
  })

  exchange.onDrain(() => onward.resume())
  onward.onDrain(() => exchange.resume())
  exchange.onAbort(() => onward.cancel())
  exchange.receive({
    data(bytes, start, end) {
      if (!onward.write(Buffer.from(bytes.subarray(start, end)), false)) exchange.pause()
    },
    end: (trailers) => onward.end(trailers),
    abort: () => onward.cancel(),
  })
}

function endToEnd(headers: HttpHeaders): HttpHeaders {
  const kept = new HttpHeaders()
  for (const [name, value] of headers) {
    if (!hopByHop.has(name) && name !== 'content-length' && name !== 'host') kept.add(name, value)
  }
  return kept
}

/** `[::1]:4711` → `::1` */
function addressOnly(remoteAddress: string): string {
  return remoteAddress.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')
}
