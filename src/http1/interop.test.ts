// Our engine against others: node:http's client, fetch and curl against our server, our client against our server, and
// the verdicts of both our parser and node:http's on mutated requests.
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import { duplexPair } from 'node:stream'
import { test } from 'node:test'
import { promisify } from 'node:util'
import * as fc from 'fast-check'
import { bytes, collect, collector } from '../http/body.ts'
import { HttpHeaders } from '../http/headers.ts'
import type { HttpHandler } from '../http/exchange.ts'
import { http1Transport } from './client.ts'
import { recordRequests } from './recording.ts'
import { type Http1Connection, serveHttp1 } from './server.ts'

const text = new HttpHeaders(['content-type', 'text/plain'])

/** `/echo` gives the body back, `/stream` its size in many pieces, `/reject` refuses without reading. */
const handler: HttpHandler = (exchange) => {
  const { target, method } = exchange.request
  if (target === '/reject') return exchange.respond({ status: 413, headers: text }, 'too much')
  if (target === '/stream') {
    exchange.start({ status: 200, headers: text })
    let left = 100
    const go = () => {
      while (left > 0) {
        left--
        if (!exchange.write(Buffer.alloc(10_000, 's'), left === 0)) return
      }
    }
    exchange.onDrain(go)
    return go()
  }
  collect(exchange, 1 << 26, [], (body, why) => {
    if (body === undefined) exchange.respond({ status: 400, headers: text }, why?.message)
    else exchange.respond({ status: 200, headers: new HttpHeaders(['x-method', method]) }, body)
  })
}

async function serving(
  use: (port: number, accepted: () => number, server: net.Server) => Promise<void>,
): Promise<void> {
  let accepted = 0
  const open = new Set<Http1Connection>()
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    accepted++
    const remoteAddress = `${socket.remoteAddress}:${socket.remotePort}`
    const connection = serveHttp1(socket, { remoteAddress, secure: false }, handler)
    open.add(connection)
    connection.onClose(() => open.delete(connection))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    await use((server.address() as AddressInfo).port, () => accepted, server)
  } finally {
    for (const connection of open) connection.close()
    server.close()
  }
}

test("node:http's client: keep-alive, bodies, streams, HEAD, 100-continue", async () => {
  await serving(async (port, accepted) => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    const send = async (options: http.RequestOptions, body?: string | Buffer) => {
      const request = http.request({ port, agent, ...options })
      if (options.headers !== undefined && 'expect' in options.headers) {
        request.flushHeaders()
        await once(request, 'continue')
      }
      request.end(body)
      const [response] = (await once(request, 'response')) as [http.IncomingMessage]
      let all = ''
      for await (const piece of response) all += String(piece)
      return { status: response.statusCode, headers: response.headers, body: all }
    }

    assert.equal((await send({ method: 'POST', path: '/echo' }, 'hello')).body, 'hello')
    const chunked = await send(
      { method: 'PUT', path: '/echo', headers: { 'transfer-encoding': 'chunked' } },
      'x'.repeat(100_000),
    )
    assert.equal(chunked.body.length, 100_000)
    assert.equal((await send({ path: '/stream' })).body.length, 1_000_000)
    const head = await send({ method: 'HEAD', path: '/echo' })
    assert.deepEqual([head.status, head.headers['x-method'], head.body], [200, 'HEAD', ''])
    const continued = await send(
      { method: 'POST', path: '/echo', headers: { expect: '100-continue', 'content-length': 2 } },
      'ok',
    )
    assert.equal(continued.body, 'ok')
    assert.equal(accepted(), 1)
    agent.destroy()
  })
})

test('fetch: bodies, streams both ways, an upload refused early', async () => {
  await serving(async (port) => {
    const origin = `http://127.0.0.1:${port}`
    const echoed = await fetch(`${origin}/echo`, { method: 'POST', body: 'ünïcode' })
    assert.equal(await echoed.text(), 'ünïcode')
    assert.equal((await (await fetch(`${origin}/stream`)).arrayBuffer()).byteLength, 1_000_000)
    const body = ReadableStream.from(
      (async function* () {
        for (let i = 0; i < 50; i++) yield Buffer.alloc(1000, 'f')
      })(),
    )
    const streamed = await fetch(`${origin}/echo`, { method: 'POST', body, duplex: 'half' } as RequestInit)
    assert.equal((await streamed.arrayBuffer()).byteLength, 50_000)
    const refused = await fetch(`${origin}/reject`, { method: 'POST', body: Buffer.alloc(200_000) })
    assert.equal(refused.status, 413)
    assert.equal(await refused.text(), 'too much')
  })
})

const curl = spawnSync('curl', ['--version']).status === 0

test(
  'curl: GET, POST, chunked upload, 100-continue, HEAD',
  { skip: curl ? false : 'curl is not installed' },
  async () => {
    const run = promisify(execFile)
    await serving(async (port) => {
      const url = (path: string) => `http://127.0.0.1:${port}${path}`
      assert.equal(
        (await run('curl', ['-sS', url('/stream'), url('/stream')], { maxBuffer: 1 << 22 })).stdout.length,
        2_000_000,
      )
      assert.equal((await run('curl', ['-sS', '-d', 'hello', url('/echo')])).stdout, 'hello')
      const chunked = ['-sS', '-H', 'Transfer-Encoding: chunked', '-d', 'hello', url('/echo')]
      assert.equal((await run('curl', chunked)).stdout, 'hello')
      const expected = ['-sS', '-H', 'Expect: 100-continue', '-d', 'y'.repeat(5000), url('/echo')]
      assert.equal((await run('curl', expected)).stdout, 'y'.repeat(5000))
      assert.match(
        (await run('curl', ['-sSI', url('/echo')])).stdout,
        /^HTTP\/1\.1 200 OK\r\n[^]*x-method: HEAD/,
      )
      assert.match((await run('curl', ['-sS0i', url('/echo')])).stdout, /connection: close/)
    })
  },
)

test('our client against our server: 1,000 calls, 50 at a time, answers belong to their requests', async () => {
  await serving(async (port, accepted) => {
    const transport = http1Transport(
      async () => {
        const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
        await once(socket, 'connect')
        return socket
      },
      { connections: 20 },
    )
    let next = 0
    const call = (body: string) =>
      new Promise<string>((resolve, reject) => {
        const rest = collector(1 << 20, [], (got, why) =>
          got === undefined ? reject(new Error(why?.message)) : resolve(got.toString()),
        )
        const head = { method: 'POST', target: '/echo', authority: 'a', headers: text }
        transport.request(head, body, {
          head: () => {},
          data: (piece, start, end) => rest.data(piece, start, end),
          end: (trailers) => rest.end(trailers),
          abort: (why) => rest.abort(why),
        })
      })
    const worker = async () => {
      while (next < 1000) {
        const body = `number ${next++} ${'z'.repeat(next * 7)}`
        assert.equal(await call(body), body)
      }
    }
    await Promise.all(Array.from({ length: 50 }, worker))
    assert.ok(accepted() <= 20)
    assert.equal(transport.active, 0)
    await transport.close(1000)
  })
})

test('1,000 connections, half of them torn, leave none behind', async () => {
  await serving(async (port, accepted, server) => {
    for (let round = 0; round < 20; round++) {
      const sockets = Array.from({ length: 50 }, () => net.connect(port, '127.0.0.1'))
      await Promise.all(
        sockets.map(async (socket, index) => {
          await once(socket, 'connect')
          socket.on('error', () => {})
          socket.resume()
          if (index % 2 === 0) socket.write('GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
          else
            socket.write('POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf', () =>
              socket.resetAndDestroy(),
            )
          await once(socket, 'close')
        }),
      )
    }
    // Comes only when no connection is left.
    server.close()
    await once(server, 'close')
    assert.equal(accepted(), 1000)
  })
})

// ── verdicts ──

interface Seen {
  method: string
  target: string
  body: string
}

/** What node:http makes of the bytes: the requests it handed over whole, and whether it refused something. */
async function nodeVerdict(input: Buffer): Promise<{ requests: Seen[]; refused: boolean }> {
  const requests: Seen[] = []
  let refused = false
  const server = http.createServer({ requireHostHeader: true }, (request, response) => {
    let body = ''
    request.setEncoding('latin1')
    request.on('data', (piece: string) => (body += piece))
    request.on('end', () => {
      requests.push({ method: request.method ?? '', target: request.url ?? '', body })
      response.end()
    })
  })
  server.on('clientError', (_error, socket) => {
    refused = true
    socket.destroy()
  })
  server.on('connect', (_request, socket) => {
    refused = true
    socket.destroy()
  })
  const [near, far] = duplexPair()
  near.resume()
  near.on('error', () => {})
  server.emit('connection', far)
  near.end(input)
  await new Promise((resolve) => far.once('close', resolve))
  return { requests, refused }
}

const seeds = [
  'GET /a HTTP/1.1\r\nHost: a\r\n\r\n',
  'POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
  'POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'POST /d HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\nGET /e HTTP/1.1\r\nHost: a\r\n\r\n',
]

const change = fc.record({
  at: fc.nat(200),
  kind: fc.constantFrom('set', 'delete', 'insert'),
  what: fc.constantFrom(
    '\r',
    '\n',
    '\r\n',
    ' ',
    '\t',
    ':',
    ';',
    ',',
    '\0',
    '0',
    '1',
    'a',
    'Z',
    '/',
    '-',
    '\x80',
    '\r\n\r\n',
    'Content-Length: 3\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Host: b\r\n',
  ),
})

const mutated = fc
  .tuple(fc.constantFrom(...seeds), fc.array(change, { minLength: 1, maxLength: 3 }))
  .map(([seed, changes]) => {
    let bytes = seed
    for (const { at, kind, what } of changes) {
      const place = at % (bytes.length + 1)
      const skip = kind === 'insert' ? 0 : 1
      bytes = bytes.slice(0, place) + (kind === 'delete' ? '' : what) + bytes.slice(place + skip)
    }
    return Buffer.from(bytes, 'latin1')
  })

test('fuzz: what we accept, node:http accepts and reads the same; we are never the laxer one', async () => {
  const runs = 400 * Number(process.env.TRUNKLINE_FUZZ_RUNS ?? 1)
  const known = new Set(http.METHODS)
  await fc.assert(
    fc.asyncProperty(mutated, async (input) => {
      const ours = recordRequests([input])
      // node:http knows its methods only; an unknown one is no framing matter.
      if (ours.messages.some(({ head }) => !known.has(head.method))) return
      const complete = ours.messages.filter((message) => message.complete)
      // node:http drops requests it has read when what follows them is wrong: it gets what we have read, no more.
      const theirs = await nodeVerdict(input.subarray(0, complete.at(-1)?.endsAt ?? 0))
      assert.deepEqual(
        theirs.requests,
        complete.map(({ head, body }) => ({ method: head.method, target: head.target, body })),
      )
      assert.equal(theirs.refused, false)
    }),
    { numRuns: runs },
  )
})

test('a handler may read with promises', async () => {
  const [near, far] = duplexPair()
  serveHttp1(far, { remoteAddress: '', secure: false }, async (exchange) => {
    const body = await bytes(exchange, 100)
    exchange.respond({ status: 200, headers: text }, body)
  })
  near.end('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello')
  near.setEncoding('latin1')
  let all = ''
  for await (const piece of near) all += piece as string
  assert.ok(all.endsWith('\r\n\r\nhello'))
})
