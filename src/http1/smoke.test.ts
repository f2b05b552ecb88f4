// Client and server of the engine, over memory and over sockets, without node:http being loaded.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import { type Duplex, duplexPair } from 'node:stream'
import { test } from 'node:test'
import { collect, collector } from '../http/body.ts'
import type { HttpTransport } from '../http/exchange.ts'
import { HttpHeaders } from '../http/headers.ts'
import { http1Transport } from './client.ts'
import { defaultHttp1Limits } from './limits.ts'
import { serveHttp1 } from './server.ts'
import { Ticker } from '../http/ticker.ts'
import { withDefaults } from '../http/with-defaults.ts'

const headers = new HttpHeaders(['content-type', 'text/plain'])

function serve(stream: Duplex): void {
  serveHttp1(stream, { remoteAddress: '', secure: false }, (exchange) =>
    collect(exchange, 1000, [], (body) => exchange.respond({ status: 200, headers }, body)),
  )
}

function echo(transport: HttpTransport, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const rest = collector(1000, [], (bytes, why) =>
      bytes === undefined ? reject(new Error(why?.message)) : resolve(bytes.toString()),
    )
    transport.request({ method: 'POST', target: '/', authority: 'a', headers }, body, {
      head: (head) => assert.equal(head.status, 200),
      data: (bytes, start, end) => rest.data(bytes, start, end),
      end: (trailers) => rest.end(trailers),
      abort: (why) => rest.abort(why),
    })
  })
}

test('client and server meet in memory', async () => {
  const transport = http1Transport(async () => {
    const [near, far] = duplexPair()
    serve(far)
    return near
  })
  assert.equal(await echo(transport, 'one'), 'one')
  assert.equal(await echo(transport, 'two'), 'two')
  await transport.close(1000)
})

test('client and server meet on a socket', async () => {
  const server = net.createServer({ allowHalfOpen: true }, serve)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const transport = http1Transport(async () => {
    const socket = net.connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return socket
  })
  assert.deepEqual(await Promise.all(['a', 'b', 'c'].map((body) => echo(transport, body))), ['a', 'b', 'c'])
  await transport.close(1000)
  server.close()
  await once(server, 'close')
})

test('the engine does not load node:http', () => {
  const program = `
    await import(${JSON.stringify(new URL('./server.ts', import.meta.url).href)})
    await import(${JSON.stringify(new URL('./client.ts', import.meta.url).href)})
    console.log(process.moduleLoadList.filter((name) => /_http_(server|client|incoming)/.test(name)).join())
  `
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
  })
  assert.equal(stdout.trim(), '', stderr)
})

test('limits that are given replace the defaults; what is undefined does not', () => {
  const limits = withDefaults(defaultHttp1Limits, { headerSize: 1000, startLine: undefined })
  assert.equal(limits.headerSize, 1000)
  assert.equal(limits.startLine, defaultHttp1Limits.startLine)
  assert.ok(Object.values(defaultHttp1Limits).every((limit) => Number.isFinite(limit) && limit > 0))
})

test('the ticker expires what is overdue, never early, and again until it is told otherwise', () => {
  const ticker = new Ticker(1000)
  let expired = 0
  const entry = { deadline: Number.POSITIVE_INFINITY, expire: () => expired++ }
  ticker.add(entry)
  // A whole number, so that sums of it are exact.
  const start = Math.ceil(ticker.now)
  ticker.tick(start)
  entry.deadline = ticker.after(5000)
  ticker.tick(start + 5999)
  assert.equal(expired, 0)
  ticker.tick(start + 6000)
  ticker.tick(start + 6001)
  assert.equal(expired, 2)
  ticker.remove(entry)
  ticker.tick(start + 9000)
  assert.equal(expired, 2)
})
