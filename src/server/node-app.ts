/**
 * An existing node:http application behind Trunkline: `serve(implementation, { fallback: fromNodeHandler(app) })`.
 *
 * fastify, NestJS, Express and plain listeners want node:http's own request and response objects. So the request goes on
 * over a connection in memory to a node:http server that listens nowhere: one connection a request, so that the
 * application sees the caller's own address on its socket, as if it had accepted the connection itself.
 */
import http from 'node:http'
import net from 'node:net'
import { type Duplex, duplexPair } from 'node:stream'
import { type Logger, defaultLogger } from '../call/logger.ts'
import type { HttpExchange, HttpRequest } from '../http/exchange.ts'
import { http1Transport } from '../http1/client.ts'
import { answerWith, forward } from './forward.ts'

/** What node:http calls for a request: an Express application, `fastify.routing`, NestJS' HTTP adapter, or a function. */
export type NodeHandler = (request: http.IncomingMessage, response: http.ServerResponse) => unknown

/**
 * Puts Trunkline in front of an existing application: what no contract knows goes on to it.
 *
 * The application gets node:http's own objects, and the caller's address on them. A handler that throws is logged, and its
 * request answered with 502. A WebSocket upgrade is answered with 501: an application behind cannot take over connections.
 *
 * @param handler What node:http's `request` event would call.
 * @param log Where a handler that throws is reported. Default: JSON lines on standard error.
 * @returns A `fallback` for `serve`.
 * @throws TypeError when the handler is no function.
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
export function fromNodeHandler(
  handler: NodeHandler,
  log: Logger = defaultLogger,
): (exchange: HttpExchange) => void {
  if (typeof handler !== 'function') {
    throw new TypeError(
      'fromNodeHandler: expected a function of request and response: an Express application, fastify.routing, …',
    )
  }

  const failed = (request: http.IncomingMessage, response: http.ServerResponse, error: unknown) => {
    log.error({ method: request.method, url: request.url, err: error }, 'the application behind failed')
    response.destroy()
  }

  // Trunkline's own listener has enforced sizes and times already.
  const server = http.createServer(
    { requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0, maxHeaderSize: 1024 * 1024 },
    async (request, response) => {
      try {
        await handler(request, response)
      } catch (error) {
        failed(request, response, error)
      }
    },
  )
  server.maxHeadersCount = 0

  return (exchange) => {
    if (upgradesToWebSocket(exchange.request)) {
      answerWith(exchange, 501, 'no WebSocket here: the application behind cannot take over connections')
    } else
      forward(
        exchange,
        http1Transport(async () => accepted(server, exchange.request)),
      )
  }
}

/** Other upgrades (h2c) are offers, which a server is free to ignore. RFC 9110 section 7.8. */
function upgradesToWebSocket({ headers }: HttpRequest): boolean {
  return headers.get('upgrade')?.toLowerCase() === 'websocket'
}

/** Two ends of a connection, one of them given to the server as if it had accepted it from the caller. */
function accepted(server: http.Server, { remoteAddress, secure }: HttpRequest): Duplex {
  const [near, far] = duplexPair()
  near.once('close', () => far.destroy())
  far.once('close', () => near.destroy())
  far.on('error', () => undefined)
  Object.assign(far, asSocket(far, remoteAddress, secure))
  server.emit('connection', far)
  return near
}

/** What applications and node:http use of a socket besides its bytes. */
function asSocket(stream: Duplex, address: string, encrypted: boolean): object {
  const self = () => stream
  const [, host, port] = /^\[?(.*?)\]?:(\d+)$/.exec(address) ?? []
  return {
    ...(host === undefined ? {} : { remoteAddress: host, remotePort: Number(port) }),
    ...(host === undefined ? {} : { remoteFamily: net.isIPv6(host) ? 'IPv6' : 'IPv4' }),
    encrypted,
    setTimeout: self,
    setNoDelay: self,
    setKeepAlive: self,
    ref: self,
    unref: self,
  }
}
