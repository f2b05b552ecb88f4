/** What a server makes of requests as no honest client sends them; node:http2 is the foreign peer. */
import assert from 'node:assert/strict'
import http2 from 'node:http2'
import { test } from 'node:test'
import zlib from 'node:zlib'
import * as fc from 'fast-check'
import { call, contract, implement, serve, stream } from 'trunkline'
import { grpc, rest } from 'trunkline/wires'
import * as z from 'zod'
import { runs } from '../../../test/support/fuzz.ts'
import { quiet, rememberingLog } from '../../../test/support/quiet-log.ts'

const Service = contract('test.raw.v1', {
  echo: call({ input: z.object({ n: z.int32() }), output: z.object({ n: z.int32() }) }),
  sum: call({ input: stream(z.object({ n: z.int32() })), output: z.object({ n: z.int32() }) }),
  count: call({ input: z.object({ n: z.int32() }), output: stream(z.object({ n: z.int32() })) }),
  text: call({ input: z.object({ text: z.string() }), output: z.object({ text: z.string() }) }),
})

const service = implement(Service, {
  echo: ({ n }) => ({ n }),
  async sum(items) {
    let n = 0
    for await (const item of items) n += item.n
    return { n }
  },
  *count({ n }) {
    for (let i = 0; i < n; i++) yield { n: i }
  },
  text: ({ text }) => ({ text }),
})

const start = (limits = {}) => serve(service, { port: 0, log: quiet, wires: [grpc()], limits })

interface Answer {
  readonly status: number
  /** Head and trailers together. */
  readonly fields: Record<string, unknown>
  readonly body: Buffer
  readonly resetCode: number
}

interface Request {
  readonly path?: string
  readonly headers?: Record<string, string>
  readonly body?: readonly Buffer[]
  /** Ends the stream behind the body; default yes. */
  readonly end?: boolean
}

async function ask(session: http2.ClientHttp2Session, request: Request): Promise<Answer> {
  const sent = session.request({
    ':method': 'POST',
    ':path': request.path ?? '/test.raw.v1.Raw/Echo',
    'content-type': 'application/grpc',
    te: 'trailers',
    ...request.headers,
  })
  const chunks: Buffer[] = []
  let fields: Record<string, unknown> = {}
  sent.on('response', (headers) => (fields = { ...fields, ...headers }))
  sent.on('trailers', (headers) => (fields = { ...fields, ...headers }))
  sent.on('data', (chunk: Buffer) => chunks.push(chunk))
  for (const chunk of request.body ?? []) sent.write(chunk)
  if (request.end !== false) sent.end()
  await new Promise((resolve, reject) => {
    sent.on('error', reject)
    sent.on('close', resolve)
  })
  const status = Number(fields[':status'])
  return { status, fields, body: Buffer.concat(chunks), resetCode: sent.rstCode ?? 0 }
}

async function session(port: number): Promise<http2.ClientHttp2Session & AsyncDisposable> {
  const made = http2.connect(`http://127.0.0.1:${port}`)
  await new Promise((resolve) => made.once('connect', resolve))
  return Object.assign(made, {
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => made.close(resolve))
    },
  })
}

function framed(message: Uint8Array, flag = 0): Buffer {
  const bytes = Buffer.alloc(5 + message.length)
  bytes[0] = flag
  bytes.writeUInt32BE(message.length, 1)
  bytes.set(message, 5)
  return bytes
}

/** `{ n: 7 }` */
const seven = framed(Uint8Array.of(8, 7))

const refusals: readonly [name: string, request: Request, status: string, message: RegExp][] = [
  ['an unknown service', { path: '/test.Other/Echo' }, '12', /no service here has/],
  ['an unknown method', { path: '/test.raw.v1.Raw/Other' }, '12', /this service has no method/],
  ['no message', { body: [] }, '12', /without its message/],
  ['a message that is cut', { body: [seven.subarray(0, 6)] }, '13', /ends within a message/],
  ['a prefix that is cut', { body: [seven.subarray(0, 3)] }, '13', /ends within a message/],
  ['an unknown flag', { body: [framed(Uint8Array.of(8, 7), 2)] }, '13', /the byte 2/],
  ['a malformed message', { body: [framed(Uint8Array.of(8))] }, '3', /./],
  ['a malformed time-out', { headers: { 'grpc-timeout': '5s' }, body: [seven] }, '13', /grpc-timeout/],
  [
    'a time-out that is over',
    { headers: { 'grpc-timeout': '0n' }, body: [seven], end: false },
    '4',
    /deadline/,
  ],
  ['malformed base64', { headers: { 'x-a-bin': '*' }, body: [seven] }, '13', /x-a-bin.*base64/],
  [
    'an unknown format',
    { headers: { 'content-type': 'application/grpc+thrift' }, body: [seven] },
    '12',
    /\+json/,
  ],
  ['an unknown coding', { headers: { 'grpc-encoding': 'snappy' }, body: [seven] }, '12', /snappy/],
  [
    'a compressed message without coding',
    { body: [framed(Uint8Array.of(8, 7), 1)] },
    '13',
    /names no coding/,
  ],
  [
    'a message that is not compressed as it says',
    { headers: { 'grpc-encoding': 'gzip' }, body: [framed(Uint8Array.of(8, 7), 1)] },
    '13',
    /not valid gzip/,
  ],
]

for (const [name, request, status, message] of refusals) {
  test(`${name} is answered with status ${status}, and the connection goes on`, async () => {
    await using server = await start()
    await using client = await session(server.port)
    const answer = await ask(client, request)
    assert.equal(answer.status, 200)
    assert.equal(answer.fields['grpc-status'], status)
    assert.match(decodeURIComponent(String(answer.fields['grpc-message'])), message)
    const after = await ask(client, { body: [seven] })
    assert.equal(after.fields['grpc-status'], '0')
    assert.deepEqual(after.body, seven)
  })
}

test('a unary call is answered when its message is there; what follows it is not read', async () => {
  await using server = await start()
  await using client = await session(server.port)
  const answer = await ask(client, { body: [seven, framed(Uint8Array.of(8, 9))] })
  assert.equal(answer.fields['grpc-status'], '0')
  assert.deepEqual(answer.body, seven)
})

test('an unknown coding is answered with those that are known', async () => {
  await using server = await start()
  await using client = await session(server.port)
  const { fields } = await ask(client, { headers: { 'grpc-encoding': 'snappy' }, body: [seven] })
  assert.equal(fields['grpc-accept-encoding'], 'identity,deflate,gzip')
})

test('what is not gRPC is answered with 415, or left to the next wire', async () => {
  await using server = await start()
  await using client = await session(server.port)
  for (const type of ['application/json', 'text/plain', 'application/grpc-web']) {
    const { status } = await ask(client, { headers: { 'content-type': type }, body: [seven] })
    assert.equal(status, 415, type)
  }

  await using both = await serve(service, { port: 0, log: quiet, wires: [grpc(), rest()] })
  await using other = await session(both.port)
  const headers = { 'content-type': 'application/json' }
  const path = '/test.raw.v1/echo'
  const answer = await ask(other, { path, headers, body: [Buffer.from('{"n":7}')] })
  assert.equal(answer.status, 200)
  assert.equal(answer.body.toString(), '{"n":7}')
})

test('over HTTP/1.1 a gRPC request is told that it needs HTTP/2', async () => {
  await using server = await start()
  const answer = await fetch(`http://127.0.0.1:${server.port}/test.raw.v1.Raw/Echo`, {
    method: 'POST',
    headers: { 'content-type': 'application/grpc' },
    body: new Uint8Array(seven),
  })
  assert.equal(answer.status, 505)
})

test('a message is read however it is cut', async () => {
  await using server = await start()
  await using client = await session(server.port)
  const message = framed(Buffer.concat([Buffer.from([10, 11]), Buffer.from('hello world')]))
  const path = '/test.raw.v1.Raw/Text'
  for (let cut = 0; cut <= message.length; cut++) {
    const body = [message.subarray(0, cut), message.subarray(cut)].filter(({ length }) => length > 0)
    const answer = await ask(client, { path, body })
    assert.equal(answer.fields['grpc-status'], '0', `cut at ${cut}`)
    assert.deepEqual(answer.body, message)
  }
})

test('messages beyond the limit are resource_exhausted, by their prefix, and when they are decompressed', async () => {
  await using server = await start({ messageSize: 10_000 })
  await using client = await session(server.port)
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(0xffff_ffff, 1)
  const promised = await ask(client, { body: [prefix], end: false })
  assert.equal(promised.fields['grpc-status'], '8')
  assert.match(String(promised.fields['grpc-message']), /4294967295 bytes; the limit is 10000/)

  for (const coding of ['gzip', 'deflate'] as const) {
    const bomb =
      coding === 'gzip' ? zlib.gzipSync(Buffer.alloc(1 << 20)) : zlib.deflateSync(Buffer.alloc(1 << 20))
    assert.ok(bomb.length < 10_000)
    const headers = { 'grpc-encoding': coding }
    const unary = await ask(client, { headers, body: [framed(bomb, 1)] })
    assert.equal(unary.fields['grpc-status'], '8', coding)
    const streamed = await ask(client, {
      path: '/test.raw.v1.Raw/Sum',
      headers,
      body: [seven, framed(bomb, 1)],
    })
    assert.equal(streamed.fields['grpc-status'], '8', coding)
  }
})

test('compressed and plain messages may follow each other in one stream, and stay in order', async () => {
  await using server = await start()
  await using client = await session(server.port)
  const one = framed(zlib.gzipSync(Uint8Array.of(8, 1)), 1)
  const headers = { 'grpc-encoding': 'gzip' }
  const answer = await ask(client, {
    path: '/test.raw.v1.Raw/Sum',
    headers,
    body: [one, seven, one, framed(new Uint8Array()), seven],
  })
  assert.equal(answer.fields['grpc-status'], '0')
  assert.deepEqual(answer.body, framed(Uint8Array.of(8, 16)))
})

test('ProtoJSON is spoken with who asks in it', async () => {
  await using server = await start()
  await using client = await session(server.port)
  const headers = { 'content-type': 'application/grpc+json' }
  const answer = await ask(client, { headers, body: [framed(Buffer.from('{"n":"7"}'))] })
  assert.equal(answer.fields['content-type'], 'application/grpc+json')
  assert.deepEqual(answer.body, framed(Buffer.from('{"n":7}')))
  const streamed = await ask(client, {
    path: '/test.raw.v1.Raw/Count',
    headers,
    body: [framed(Buffer.from('{"n":2}'))],
  })
  assert.equal(streamed.body.toString('latin1').match(/\{[^}]*\}/g)?.length, 2)
})

test('a call that is answered before its request has ended is over: the rest is not wanted', async () => {
  await using server = await start()
  await using client = await session(server.port)
  const { fields, resetCode } = await ask(client, { path: '/test.Other/Nothing', end: false })
  assert.equal(fields['grpc-status'], '12')
  assert.equal(resetCode, http2.constants.NGHTTP2_NO_ERROR)
})

test('whatever is sent is answered with a status, and nothing breaks', async () => {
  const log = rememberingLog()
  await using server = await serve(service, {
    port: 0,
    log,
    wires: [grpc()],
    limits: { messageSize: 10_000 },
  })
  await using client = await session(server.port)

  const whole = fc.oneof(
    fc.constant(seven),
    fc.uint8Array({ maxLength: 20 }).map((bytes) => framed(bytes)),
    fc.uint8Array({ maxLength: 20 }).map((bytes) => framed(zlib.gzipSync(bytes), 1)),
    fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
  )
  const body = fc
    .tuple(fc.array(whole, { maxLength: 4 }), fc.array(fc.nat(80), { maxLength: 3 }))
    .map(([pieces, cuts]) => {
      const bytes = Buffer.concat(pieces)
      const at = [...new Set([0, ...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length])].toSorted(
        (one, other) => one - other,
      )
      return at.slice(1).map((end, index) => bytes.subarray(at[index], end))
    })
  const request = fc.record({
    path: fc.constantFrom('Echo', 'Sum', 'Count', 'Text', 'Other').map((name) => `/test.raw.v1.Raw/${name}`),
    headers: fc.record(
      {
        'content-type': fc.constantFrom('application/grpc', 'application/grpc+json', 'application/grpc+x'),
        'grpc-encoding': fc.constantFrom('gzip', 'deflate', 'identity', 'br', ''),
        'grpc-timeout': fc.oneof(
          fc.constantFrom('1S', '50m', '1n'),
          fc.stringMatching(/^[0-9a-zA-Z]{0,10}$/),
        ),
        'x-a-bin': fc.stringMatching(/^[a-zA-Z+/=,*][A-Za-z0-9+/=,* ]{0,12}[a-z]$/),
        'grpc-accept-encoding': fc.stringMatching(/^[a-z,]{0,12}$/),
      },
      { requiredKeys: [] },
    ),
    body,
  })

  await fc.assert(
    fc.asyncProperty(request, async (each) => {
      const { status, fields } = await ask(client, each)
      assert.equal(status, 200)
      assert.match(String(fields['grpc-status']), /^(?:[0-9]|1[0-6])$/)
    }),
    { numRuns: runs(150) },
  )
  assert.deepEqual((await ask(client, { body: [seven] })).body, seven)
  assert.deepEqual(
    log.lines.filter(({ level }) => level === 'error'),
    [],
  )
})
