// Peers that try to take a REST server's memory or its attention: small bodies that become large ones, answers that are
// never read, requests without end.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import zlib from 'node:zlib'
import { connect } from 'trunkline'
import { until } from '../support/events.ts'
import { quiet } from '../support/quiet-log.ts'
import { rawConnection } from '../support/raw-http.ts'
import { send } from '../support/rest-server.ts'
import { Target, memory, target } from './contract.ts'

const MiB = 1024 * 1024

/** 128 MiB of one letter in JSON, compressed. */
function bomb(compress: (text: string) => Buffer): Buffer {
  return compress(`{"text":"${'x'.repeat(128 * MiB)}"}`)
}
const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN } = zlib.constants
const bombs: Record<string, () => Buffer> = {
  gzip: () => bomb((text) => zlib.gzipSync(text, { level: 1 })),
  br: () =>
    bomb((text) =>
      zlib.brotliCompressSync(text, { params: { [BROTLI_PARAM_QUALITY]: 1, [BROTLI_PARAM_LGWIN]: 22 } }),
    ),
  zstd: () => bomb((text) => zlib.zstdCompressSync(text)),
  'gzip, gzip': () => zlib.gzipSync(bomb((text) => zlib.gzipSync(text, { level: 1 }))),
}

for (const [coding, build] of Object.entries(bombs)) {
  test(`a bomb of ${coding} is 413 as soon as it passes limits.messageSize, and costs no more memory`, async () => {
    const attacked = await target()
    await using _ = attacked.server
    const body = build()
    assert.ok(body.length < MiB, `${body.length} bytes`)
    const before = await memory()

    let most = 0
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().arrayBuffers)), 1)
    const idle = process.memoryUsage().arrayBuffers
    const answer = await send(`${attacked.url}/echo`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-encoding': coding, connection: 'close' },
      body,
    })
    clearInterval(watch)
    assert.equal(answer.status, 413)
    assert.match(answer.text, /larger than 16777216 bytes/)
    // What was decompressed, and pieces of it that nobody has collected yet.
    assert.ok(most - idle < 80 * MiB, `${(most - idle) / MiB} MiB for a message of at most 16`)
    assert.equal(attacked.server.internals.host.partialBodies.held, 0)
    const kept = (await memory()) - before
    assert.ok(kept < 4 * MiB, `${kept / MiB} MiB are kept`)
  })
}

test('a stream that nobody reads is produced no further, and its connection is cut after limits.stallTimeout', async () => {
  const attacked = await target({ stallTimeout: 300 })
  await using _ = attacked.server
  const { observed } = attacked
  const before = await memory()
  const raw = await rawConnection(attacked.server.port)
  raw.socket.pause()
  raw.socket.write('GET /flood HTTP/1.1\r\nhost: x\r\n\r\n')
  await until(() => observed.floodsOver === 1, 'the stream is over')
  await until(() => attacked.server.connections === 0, 'the connection is cut')
  // What lies in the kernel's buffers is a few MiB on loopback.
  assert.ok(observed.flooded < 32 * 1024, `${observed.flooded} KiB`)
  raw.socket.destroy()
  const kept = (await memory()) - before
  assert.ok(kept < 4 * MiB, `${kept / MiB} MiB are kept`)
})

test('an answer of 12 MiB that nobody reads is dropped after limits.stallTimeout', async () => {
  const attacked = await target({ stallTimeout: 300 })
  await using _ = attacked.server
  const before = await memory()
  const readers = await Promise.all(Array.from({ length: 4 }, () => rawConnection(attacked.server.port)))
  for (const { socket } of readers) {
    socket.pause()
    socket.write('GET /large HTTP/1.1\r\nhost: x\r\n\r\n')
  }
  await until(() => attacked.server.connections === 4, 'all are there')
  await until(() => attacked.server.connections === 0, 'all are cut')
  for (const { socket } of readers) socket.destroy()
  // The memory in which an answer is encoded is kept for the next one.
  await send(`${attacked.url}/kibibyte`, { headers: { connection: 'close' } })
  const kept = (await memory()) - before
  assert.ok(kept < 4 * MiB, `${kept / MiB} MiB are kept`)
})

test('20,000 pipelined requests of a client that reads nothing cost little, others are served meanwhile, and all are answered', async () => {
  const attacked = await target()
  await using _ = attacked.server
  const { observed } = attacked
  const count = 20_000
  const request = 'GET /kibibyte HTTP/1.1\r\nhost: x\r\n\r\n'
  await using others = connect(Target, attacked.url, { log: quiet })
  await others.kibibyte()
  const before = await memory()

  const raw = await rawConnection(attacked.server.port)
  raw.socket.pause()
  raw.socket.write(request.repeat(count))
  let seen = -1
  await until(() => {
    const still = observed.kibibytes === seen && seen > 1
    seen = observed.kibibytes
    return still
  }, 'the server waits for its reader')
  assert.ok(observed.kibibytes < count, 'it does not work for one who reads nothing')

  for (let index = 0; index < 100; index++) assert.equal((await others.kibibyte()).text.length, 1024)
  const grown = (await memory()) - before
  assert.ok(grown < 4 * MiB, `${grown / MiB} MiB`)

  let answers = 0
  let rest = ''
  raw.socket.on('data', (bytes: Buffer) => {
    const text = rest + bytes.toString('latin1')
    const parts = text.split('HTTP/1.1 200 OK')
    answers += parts.length - 1
    rest = (parts.at(-1) as string).slice(-14)
  })
  raw.socket.resume()
  await until(() => answers >= count, `all are answered; ${answers} so far`)
  assert.equal(answers, count)
  raw.socket.destroy()
})

test('10,000 pipelined requests that are refused cost little as well', async () => {
  const attacked = await target()
  await using _ = attacked.server
  const before = await memory()
  const raw = await rawConnection(attacked.server.port)
  raw.socket.pause()
  raw.socket.write('POST /nothing HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc'.repeat(10_000))
  await using others = connect(Target, attacked.url, { log: quiet })
  for (let index = 0; index < 100; index++) assert.deepEqual(await others.echo({ text: 'abc' }), { size: 3 })
  const grown = (await memory()) - before
  assert.ok(grown < 4 * MiB, `${grown / MiB} MiB`)
  raw.socket.destroy()
})
