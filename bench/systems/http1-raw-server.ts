// The HTTP/1.1 engine without wires: answers every POST with the JSON it was sent, parsed and written again, from an
// async handler; every GET with a constant. Prints its port. `node bench/systems/http1-raw-server.ts [engine]`, where
// engine is `own` (default), `node` (node:http itself) or `net` (a constant answer, nothing read: the floor).
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import { collect } from '../../src/http/body.ts'
import type { HttpExchange } from '../../src/http/exchange.ts'
import { HttpHeaders } from '../../src/http/headers.ts'
import { serveHttp1 } from '../../src/http1/server.ts'

const engine = process.argv[2] ?? 'own'
const json = Object.freeze({ status: 200, headers: new HttpHeaders(['content-type', 'application/json']) })
const constant = JSON.stringify({ ok: true })

async function work(body: Buffer): Promise<unknown> {
  return JSON.parse(body.latin1Slice(0, body.length)) as unknown
}

function own(exchange: HttpExchange): void {
  if (exchange.request.method === 'GET') return exchange.respond(json, constant)
  collect(exchange, 1 << 20, [], (body) => {
    if (body === undefined) return exchange.respond({ status: 400, headers: new HttpHeaders() }, undefined)
    work(body).then(
      (value) => exchange.respond(json, JSON.stringify(value)),
      () => exchange.respond({ status: 400, headers: new HttpHeaders() }, undefined),
    )
  })
}

const answer = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${constant.length}\r\n\r\n${constant}`,
)

const servers: Record<string, () => net.Server> = {
  own: () =>
    net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      serveHttp1(
        socket,
        { remoteAddress: `${socket.remoteAddress}:${socket.remotePort}`, secure: false },
        own,
      )
    }),
  node: () =>
    http.createServer((request, response) => {
      const pieces: Buffer[] = []
      request.on('data', (piece: Buffer) => pieces.push(piece))
      request.on('end', () => {
        const whole = Buffer.concat(pieces)
        const done = (text: string) =>
          response
            .writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
            .end(text)
        if (request.method === 'GET') done(constant)
        else void work(whole).then((value) => done(JSON.stringify(value)))
      })
    }),
  net: () =>
    net.createServer({ noDelay: true }, (socket) => {
      socket.on('data', () => socket.write(answer))
      socket.on('error', () => socket.destroy())
    }),
}

const server = servers[engine]?.()
if (server === undefined) throw new Error(`no engine ${engine}; there are ${Object.keys(servers).join(', ')}`)
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log((server.address() as AddressInfo).port)
})
