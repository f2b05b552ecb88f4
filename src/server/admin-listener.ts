/** What only the machine itself may ask: metrics and health, on a port of their own on loopback. */
import net from 'node:net'
import type { HttpExchange, HttpResponseHead } from '../http/exchange.ts'
import { HttpHeaders } from '../http/headers.ts'
import { serveHttp1 } from '../http1/server.ts'
import type { CallMetrics } from '../telemetry/metrics.ts'
import { bind } from './bind.ts'
import type { ServerHost } from './host.ts'

export interface AdminListener {
  readonly port: number
  close(): Promise<void>
}

/** Listens on 127.0.0.1: `GET /metrics` and `GET /healthz` (200 while serving, 503 while it is being shut down). */
export async function listenForAdmin(
  port: number,
  host: ServerHost,
  metrics: CallMetrics,
): Promise<AdminListener> {
  const connections = new Set<net.Socket>()
  const answer = (exchange: HttpExchange) => {
    const { method } = exchange.request
    const [target] = exchange.request.target.split('?', 1)
    if (method !== 'GET' && method !== 'HEAD')
      return exchange.respond(head(405, 'text/plain', ['allow', 'GET, HEAD']), '')
    if (target === '/metrics')
      return exchange.respond(head(200, 'text/plain; version=0.0.4; charset=utf-8'), metrics.text())
    if (target === '/healthz') {
      return host.draining
        ? exchange.respond(head(503, 'application/json'), '{"status":"draining"}\n')
        : exchange.respond(head(200, 'application/json'), '{"status":"serving"}\n')
    }
    exchange.respond(head(404, 'text/plain'), 'there are /metrics and /healthz\n')
  }

  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    connections.add(socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => connections.delete(socket))
    serveHttp1(socket, { remoteAddress: String(socket.remoteAddress), secure: false }, answer, host.limits)
  })
  server.maxConnections = 100

  const address = await bind(server, { port, host: '127.0.0.1' })

  return {
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of connections) socket.destroy()
      }),
  }
}

function head(status: number, type: string, more: readonly string[] = []): HttpResponseHead {
  return { status, headers: new HttpHeaders(['content-type', type, ...more]) }
}
