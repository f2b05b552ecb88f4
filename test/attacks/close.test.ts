// close() of a server and of a client at every moment of an exchange over HTTP/1.1: all that was promised settles, and
// neither socket nor timer stays.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { test } from 'node:test'
import { CallError, connect, disconnect } from 'trunkline'
import { until } from '../support/events.ts'
import { quiet } from '../support/quiet-log.ts'
import { type RawConnection, rawConnection } from '../support/raw-http.ts'
import { type Observed, Target, target } from './contract.ts'

/** Sockets, servers and timers that keep the process alive. */
function handles(): readonly string[] {
  return process.getActiveResourcesInfo().filter((kind) => /TCP|TLS|Timeout|Connect/.test(kind))
}

/** Waits until no more of them are there than before. */
async function noneStays(before: readonly string[]): Promise<void> {
  await until(() => handles().length <= before.length, 'no handle stays', 5_000).catch(() => {
    assert.deepEqual(handles(), before)
  })
}

const post = 'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n'
const ndjson = 'POST /pour HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-ndjson\r\n'

/** What a peer has sent, and what the server has come to, when it is closed. */
const moments: readonly [string, string, ((observed: Observed, raw: RawConnection) => boolean)?][] = [
  ['before the head', ''],
  ['in the head', 'POST /echo HT'],
  ['in a field of the head', 'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-le'],
  ['between head and body', `${post}content-length: 12\r\n\r\n`],
  [
    'between head and body, while the peer waits for 100',
    `${post}expect: 100-continue\r\ncontent-length: 12\r\n\r\n`,
  ],
  ['in the body', `${post}content-length: 12\r\n\r\n{"text`],
  ['in a chunk', `${post}transfer-encoding: chunked\r\n\r\n9\r\n{"te`],
  [
    'in a compressed body',
    `${post}content-encoding: gzip\r\ncontent-length: 100\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\x03`,
  ],
  [
    'in a streamed body',
    `${ndjson}transfer-encoding: chunked\r\n\r\nf\r\n{"text":"one"}\n\r\n`,
    (o) => o.pouring === 1,
  ],
  ['before the answer', 'GET /hold HTTP/1.1\r\nhost: x\r\n\r\n', (o) => o.holding === 1],
  ['in the answer', 'GET /flood HTTP/1.1\r\nhost: x\r\n\r\n', (_, raw) => raw.text().length > 100_000],
  ['after the answer', 'GET /kibibyte HTTP/1.1\r\nhost: x\r\n\r\n', (_, raw) => raw.text().includes('xxx"}')],
  [
    'with requests behind the one that is answered',
    'GET /hold HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(3),
    (o) => o.holding === 1,
  ],
  [
    'with requests behind a streamed answer',
    'GET /flood HTTP/1.1\r\nhost: x\r\n\r\nGET /kibibyte HTTP/1.1\r\nhost: x\r\n\r\nGET /ki',
    (_, raw) => raw.text().length > 100_000,
  ],
]

for (const reading of [true, false]) {
  for (const [moment, sent, reached] of moments) {
    if (!reading && !/answer/.test(moment)) continue
    const peer = reading ? '' : ', the peer reading nothing'
    test(`a server that is closed ${moment}${peer}: the peer is let go, handlers are told, nothing stays`, async () => {
      const before = handles()
      const { server, observed } = await target()
      const raw = await rawConnection(server.port)
      if (!reading && moment !== 'after the answer') {
        // As much as the moment needs, and then nothing more.
        const pause = () => {
          if (reached?.(observed, raw) !== true) return
          raw.socket.off('data', pause)
          raw.socket.pause()
        }
        raw.socket.on('data', pause)
      }
      raw.socket.write(sent, 'latin1')
      await until(() => server.connections === 1, 'the server knows of it')
      if (reached !== undefined) await until(() => reached(observed, raw), 'the moment has come')

      const gone = new Promise((resolve) => raw.socket.once('close', resolve))
      await server.close({ grace: 20 })
      raw.socket.resume()
      raw.socket.end()
      await gone
      await until(() => observed.holding === 0 && observed.pouring === 0, 'the handlers are told')
      assert.equal(observed.floodsOver, observed.flooded === 0 ? 0 : 1)
      assert.equal(server.connections, 0)
      assert.equal(server.active, 0)
      await noneStays(before)
    })
  }
}

/** A server that answers what a test says, and how far the client has come. */
async function scripted(answer: string) {
  const sockets = new Set<net.Socket>()
  const seen = { text: '', connections: 0 }
  const server = net.createServer((socket) => {
    seen.connections++
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (bytes: Buffer) => {
      const first = seen.text === ''
      seen.text += bytes.toString('latin1')
      if (first && answer !== '') socket.write(answer)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  return {
    seen,
    sockets,
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

const chunked = 'HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n'

/** What the server has sent when the client is closed, and whether the call's answer is one value or a stream. */
const answers: readonly [string, string, 'unary' | 'streamed'][] = [
  ['before the answer', '', 'unary'],
  ['after an informational answer', 'HTTP/1.1 103 Early Hints\r\n\r\n', 'unary'],
  ['in the head of the answer', 'HTTP/1.1 200 OK\r\ncontent-ty', 'unary'],
  [
    'between head and body of the answer',
    'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 12\r\n\r\n',
    'unary',
  ],
  [
    'in the answer',
    'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 12\r\n\r\n{"text',
    'unary',
  ],
  ['before a streamed answer', '', 'streamed'],
  ['before the first message of an answer', chunked, 'streamed'],
  ['between messages of an answer', `${chunked}f\r\n{"text":"one"}\n\r\n`, 'streamed'],
  ['in a message of an answer', `${chunked}6\r\n{"text\r\n`, 'streamed'],
]

function isAbout(error: unknown): boolean {
  assert.ok(CallError.is(error), String(error))
  assert.ok(error.code === 'unavailable' || error.code === 'canceled', `${error.code}: ${error.message}`)
  return true
}

for (const [moment, answer, kind] of answers) {
  test(`a client that is closed ${moment}: its call fails, the server sees it go, nothing stays`, async () => {
    const before = handles()
    {
      await using server = await scripted(answer)
      const client = connect(Target, server.url, { log: quiet })
      const read = async () => {
        if (kind === 'unary') return client.kibibyte()
        const seen = []
        for await (const message of client.flood()) seen.push(message)
        return seen
      }
      const over = assert.rejects(read(), isAbout)
      await until(() => server.seen.text.endsWith('\r\n\r\n'), 'the request has come')
      // The answer is on its way; wherever it is, the outcome is the same.
      await new Promise((resolve) => setImmediate(resolve))
      await disconnect(client, { grace: 0 })
      await over
      await until(() => server.sockets.size === 0, 'the connection is closed')
      await assert.rejects(client.kibibyte(), isAbout)
    }
    await noneStays(before)
  })
}

test('a client that is closed while it sends a stream, and while calls wait for a connection: all fail', async () => {
  const before = handles()
  {
    await using server = await scripted('')
    const client = connect(Target, server.url, { log: quiet, waiting: 50 })
    let ended = false
    async function* lines() {
      try {
        for (;;) yield { text: 'x'.repeat(10_000) }
      } finally {
        ended = true
      }
    }
    const calls = [client.pour(lines()), ...Array.from({ length: 30 }, () => client.hold())]
    const over = Promise.allSettled(calls)
    await until(() => server.seen.text.includes('POST /pour'), 'the stream has begun')
    await disconnect(client, { grace: 0 })
    for (const each of await over) assert.ok(each.status === 'rejected' && isAbout(each.reason))
    await until(() => ended, 'the iteration is told')
    await until(() => server.sockets.size === 0, 'the connections are closed')
  }
  await noneStays(before)
})

test('a client that is closed in the moment it begins to connect', async () => {
  const before = handles()
  {
    await using server = await scripted('')
    const client = connect(Target, server.url, { log: quiet })
    const over = assert.rejects(client.hold(), isAbout)
    await disconnect(client, { grace: 0 })
    await over
    await until(() => server.sockets.size === 0, 'no connection stays')
  }
  await noneStays(before)
})

test('client and server that close at the same time, at any turn of 20 calls', async () => {
  const before = handles()
  for (let turns = 0; turns < 12; turns++) {
    const { server, url } = await target()
    const client = connect(Target, url, { log: quiet })
    const over = Promise.allSettled([
      ...Array.from({ length: 10 }, () => client.echo({ text: 'x' })),
      ...Array.from({ length: 10 }, () => client.hold()),
    ])
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
    await Promise.all([server.close({ grace: 0 }), disconnect(client, { grace: 0 })])
    for (const each of await over) if (each.status === 'rejected') isAbout(each.reason)
  }
  await noneStays(before)
})
