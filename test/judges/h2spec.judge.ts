// h2spec tries 145 cases of RFC 7540 and RFC 7541 against a server that answers each request with a plain 200, once its body
// is there, so that no answer overtakes a case. RFC 9113 has changed nothing that a case of it asks for.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import tls from 'node:tls'
import { h2spec } from '../../scripts/judges.ts'
import { collect } from '../../src/http/body.ts'
import type { HttpHandler } from '../../src/http/exchange.ts'
import { HttpHeaders } from '../../src/http/headers.ts'
import { serveHttp2 } from '../../src/http2/server.ts'
import { certificate } from '../support/certificate.ts'
import { needs } from '../support/require.ts'

const cases = 145
const ok = Object.freeze({ status: 200, headers: new HttpHeaders(['content-type', 'text/plain']) })

const answer: HttpHandler = (exchange) => {
  collect(exchange, 1 << 20, [], (body) => {
    if (body !== undefined) exchange.respond(ok, 'hello')
  })
}

test('h2spec passes every case over plaintext', async (t) => {
  const program = await needs(t, h2spec)
  if (program === undefined) return
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    serveHttp2(socket, { remoteAddress: 'h2spec', secure: false }, answer)
  })
  await judge(t, program, server, [])
})

test('h2spec passes every case over TLS', async (t) => {
  const program = await needs(t, h2spec)
  if (program === undefined) return
  const { cert, key } = await certificate()
  const options = { cert, key, ALPNProtocols: ['h2'], allowHalfOpen: true, noDelay: true }
  const server = tls.createServer(options as tls.TlsOptions, (socket) => {
    serveHttp2(socket, { remoteAddress: 'h2spec', secure: true }, answer)
  })
  await judge(t, program, server, ['-t', '-k'])
})

async function judge(t: TestContext, program: string, server: net.Server, options: string[]): Promise<void> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const child = spawn(program, ['-h', '127.0.0.1', '-p', String(port), '-o', '5', ...options])
  let output = ''
  child.stdout.on('data', (piece: Buffer) => (output += piece.toString()))
  child.stderr.on('data', (piece: Buffer) => (output += piece.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  assert.equal(code, 0, output)
  assert.match(output, new RegExp(`${cases} tests, ${cases} passed, 0 skipped, 0 failed`), output)
}
