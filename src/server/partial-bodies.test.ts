// What many connections together may make a server keep of bodies that they never complete: limits.partialBodiesSize.

import assert from 'node:assert/strict'
import test from 'node:test'
import zlib from 'node:zlib'
import { call, connect, contract, implement, serve, stream } from 'trunkline'
import * as z from 'zod'
import { until } from '../../test/support/events.ts'
import { quiet } from '../../test/support/quiet-log.ts'
import { type RawConnection, rawConnection } from '../../test/support/raw-http.ts'

const Sink = contract('test.sink.v1', {
  keep: call({
    input: z.object({ text: z.string() }),
    output: z.object({ size: z.int() }),
    rest: 'POST /keep',
  }),
  pour: call({
    input: stream(z.object({ text: z.string() })),
    output: z.object({ size: z.int() }),
    rest: 'POST /pour',
  }),
})

const KiB = 1024

async function sinkServer(partialBodiesSize: number) {
  const implementation = implement(Sink, {
    keep: ({ text }) => ({ size: text.length }),
    async pour(lines) {
      let size = 0
      for await (const { text } of lines) size += text.length
      return { size }
    },
  })
  const server = await serve(implementation, { port: 0, log: quiet, limits: { partialBodiesSize } })
  const { partialBodies } = server.internals.host
  const open: RawConnection[] = []

  /** Begins a request whose body is announced with `size` bytes. */
  const begin = async (path: string, size: number, fields = 'content-type: application/json\r\n') => {
    const raw = await rawConnection(server.port)
    open.push(raw)
    raw.socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\n${fields}content-length: ${size}\r\n\r\n`)
    return raw
  }
  /** Sends bytes, and waits until the server keeps them. */
  const fill = async (raw: RawConnection, size: number, first = '') => {
    const held = partialBodies.held + size
    raw.socket.write(first + 'x'.repeat(size - first.length))
    await until(() => partialBodies.held >= held, `${size} bytes are kept`)
  }

  return {
    server,
    partialBodies,
    begin,
    fill,
    async [Symbol.asyncDispose]() {
      for (const { socket } of open) socket.destroy()
      await server[Symbol.asyncDispose]()
    },
  }
}

const line = '{"text":"'

test('beyond limits.partialBodiesSize the body begun last is refused with 503, those before it are completed', async () => {
  await using sink = await sinkServer(600 * KiB)
  const first = await sink.begin('/keep', 500 * KiB)
  await sink.fill(first, 400 * KiB, line)
  const second = await sink.begin('/keep', 500 * KiB)
  second.socket.write(line + 'x'.repeat(300 * KiB))
  await second.until('resource_exhausted')
  assert.match(second.text(), /^HTTP\/1\.1 503 [\s\S]*\r\nretry-after: 1\r\n[\s\S]*"processed":"no"/)

  first.socket.write(`${'x'.repeat(100 * KiB - 2)}"}`)
  await first.until('200 OK')
  assert.match(first.text(), new RegExp(`{"size":${500 * KiB - line.length - 2}}`))
  assert.equal(sink.partialBodies.held, 0)
})

test('whoever holds almost complete bodies and waits loses them to whoever sends', async (t) => {
  const { now } = performance
  let later = 0
  t.mock.method(performance, 'now', () => now.call(performance) + later)
  await using sink = await sinkServer(700 * KiB)
  const holders = []
  for (let index = 0; index < 5; index++) {
    const holder = await sink.begin('/keep', 120 * KiB)
    await sink.fill(holder, 110 * KiB, line)
    holders.push(holder)
  }
  later = 2_100

  const honest = await sink.begin('/keep', 300 * KiB)
  honest.socket.write(`${line}${'x'.repeat(300 * KiB - line.length - 2)}"}`)
  await honest.until('200 OK')
  await Promise.all(holders.slice(0, 2).map((each) => each.until('503 Service Unavailable')))
  assert.equal(holders.at(-1)?.text(), '')
})

test('a body that is alone may be larger than limits.partialBodiesSize, and none that comes in one piece is counted', async () => {
  await using sink = await sinkServer(64 * KiB)
  const large = await sink.begin('/keep', 500 * KiB)
  await sink.fill(large, 400 * KiB, line)
  await using client = connect(Sink, `http://127.0.0.1:${sink.server.port}`, { log: quiet })
  assert.deepEqual(await client.keep({ text: 'small' }), { size: 5 })
  large.socket.write(`${'x'.repeat(100 * KiB - 2)}"}`)
  await large.until('200 OK')
})

test('a line of a stream that has come in part counts, until it is complete or its call is over', async () => {
  await using sink = await sinkServer(600 * KiB)
  const ndjson = 'content-type: application/x-ndjson\r\n'
  const first = await sink.begin('/pour', 1000 * KiB, ndjson)
  await sink.fill(first, 400 * KiB, line)
  const second = await sink.begin('/pour', 1000 * KiB, ndjson)
  second.socket.write(line + 'x'.repeat(400 * KiB))
  await second.until('503 Service Unavailable')
  assert.doesNotMatch(second.text(), /processed/)

  first.socket.write('"}\n')
  await until(() => sink.partialBodies.held === 0, 'a complete line is not counted')
  await sink.fill(first, 400 * KiB, line)
  first.socket.destroy()
  await until(() => sink.partialBodies.held === 0, 'the line of a caller that left is not counted')
})

for (const [coding, compress] of [
  ['gzip', zlib.gzipSync],
  ['br', zlib.brotliCompressSync],
  ['zstd', zlib.zstdCompressSync],
] as const) {
  test(`what ${coding} is decompressed to counts as it grows: of bombs on many connections one is read, and the others are refused`, async () => {
    await using sink = await sinkServer(2048 * KiB)
    const bomb = compress(`${line}${'x'.repeat(4096 * KiB)}"}`)
    const fields = `content-type: application/json\r\ncontent-encoding: ${coding}\r\n`
    const most = { held: 0 }
    const watch = setInterval(() => (most.held = Math.max(most.held, sink.partialBodies.held)), 1)

    const senders = await Promise.all(
      Array.from({ length: 16 }, async () => {
        const sender = await sink.begin('/keep', bomb.length, fields)
        // All but the last byte: none can be over before all are there.
        sender.socket.write(bomb.subarray(0, -1))
        return sender
      }),
    )
    await until(
      () => senders.filter((each) => each.text().startsWith('HTTP/1.1 503')).length === 15,
      'all but one are refused',
    )
    clearInterval(watch)
    assert.ok(most.held <= (2048 + 4096 + 256) * KiB, `${most.held} bytes`)

    const [whole] = senders.filter((each) => each.text() === '')
    whole?.socket.write(bomb.subarray(-1))
    await whole?.until(`{"size":${4096 * KiB}}`)
    assert.equal(sink.partialBodies.held, 0)
  })
}
