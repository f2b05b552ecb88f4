/** What a client makes of answers as no honest server sends them; node:http2 is the foreign peer. */
import assert from 'node:assert/strict'
import http2 from 'node:http2'
import net, { type AddressInfo } from 'node:net'
import { test } from 'node:test'
import zlib from 'node:zlib'
import { CallError, call, connect, contract, stream } from 'trunkline'
import { grpc } from 'trunkline/wires'
import * as z from 'zod'
import { quiet } from '../../../test/support/quiet-log.ts'

const Service = contract('test.raw.v1', {
  echo: call({ input: z.object({ n: z.int32() }), output: z.object({ n: z.int32() }) }),
  count: call({ input: z.object({ n: z.int32() }), output: stream(z.object({ n: z.int32() })) }),
  nothing: call({}),
})

type Answer = (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void

/** A server that answers each request as it is told. */
async function server(answer: Answer): Promise<{ readonly port: number } & AsyncDisposable> {
  const made = http2.createServer()
  const sessions = new Set<http2.ServerHttp2Session>()
  made.on('session', (session) => {
    sessions.add(session)
    session.on('error', () => {})
  })
  made.on('stream', (each: http2.ServerHttp2Stream, headers) => {
    each.on('error', () => {})
    answer(each, headers)
  })
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve))
  return {
    port: (made.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy()
      await new Promise((resolve) => made.close(resolve))
    },
  }
}

function framed(message: Uint8Array, flag = 0): Buffer {
  const bytes = Buffer.alloc(5 + message.length)
  bytes[0] = flag
  bytes.writeUInt32BE(message.length, 1)
  bytes.set(message, 5)
  return bytes
}

const seven = framed(Uint8Array.of(8, 7))
const head = { ':status': 200, 'content-type': 'application/grpc' }

interface Parts {
  readonly head?: http2.OutgoingHttpHeaders
  readonly body?: readonly Buffer[]
  readonly trailers?: http2.OutgoingHttpHeaders | undefined
}

const answering =
  ({ head: given = head, body = [seven], trailers = { 'grpc-status': '0' } }: Parts): Answer =>
  (each) => {
    each.respond(given, { waitForTrailers: true })
    each.on('wantTrailers', () => each.sendTrailers(trailers))
    for (const chunk of body) each.write(chunk)
    each.end()
  }

async function failure(promise: Promise<unknown>): Promise<CallError> {
  try {
    await promise
  } catch (error) {
    assert.ok(CallError.is(error), String(error))
    return error
  }
  throw new Error('the call should have failed')
}

const connected = (port: number, limits = {}) =>
  connect(Service, `grpc://127.0.0.1:${port}`, { log: quiet, limits })

const html = { ':status': 502, 'content-type': 'text/html' }
const answers: readonly [what: string, parts: Parts, code: CallError['code'], message: RegExp][] = [
  ['no status in the trailers', { trailers: { 'x-a': 'b' } }, 'unknown', /without grpc-status/],
  ['a status that is no number', { trailers: { 'grpc-status': 'fine' } }, 'unknown', /^$/],
  [
    'a status that nobody knows',
    { trailers: { 'grpc-status': '99', 'grpc-message': 'odd' } },
    'unknown',
    /odd/,
  ],
  [
    'a page of a proxy',
    { head: html, body: [Buffer.from('<html>')], trailers: {} },
    'unavailable',
    /HTTP 502/,
  ],
  [
    'a page instead of an answer',
    { head: { ...html, ':status': 200 }, trailers: {} },
    'unknown',
    /text\/html/,
  ],
  ['no message', { body: [] }, 'internal', /no message/],
  ['two messages', { body: [seven, seven] }, 'internal', /more than one message/],
  ['a message that is cut', { body: [seven.subarray(0, 6)] }, 'internal', /ends within a message/],
  ['a flag that is none', { body: [framed(Uint8Array.of(8, 7), 9)] }, 'internal', /the byte 9/],
  [
    'a message that does not decode',
    { body: [framed(Uint8Array.of(8))] },
    'internal',
    /does not fit the contract/,
  ],
  [
    'a coding that nobody knows',
    { head: { ...head, 'grpc-encoding': 'br' }, body: [framed(seven, 1)] },
    'internal',
    /'br'/,
  ],
  ['a compressed message without coding', { body: [framed(seven, 1)] }, 'internal', /names no coding/],
  [
    'bytes that are not gzip',
    { head: { ...head, 'grpc-encoding': 'gzip' }, body: [framed(seven, 1)] },
    'internal',
    /not valid gzip/,
  ],
  [
    'a bomb',
    { head: { ...head, 'grpc-encoding': 'gzip' }, body: [framed(zlib.gzipSync(Buffer.alloc(1 << 20)), 1)] },
    'resource_exhausted',
    /larger than 100000 bytes/,
  ],
  [
    'a message beyond the limit',
    { body: [framed(Buffer.alloc(200_000))] },
    'resource_exhausted',
    /200000 bytes/,
  ],
  ['metadata that is no base64', { head: { ...head, 'x-a-bin': '*' } }, 'internal', /x-a-bin/],
  [
    'trailers that are no base64',
    { trailers: { 'grpc-status': '0', 'x-a-bin': '*' } },
    'internal',
    /x-a-bin/,
  ],
]

for (const [what, parts, code, message] of answers) {
  test(`${what} is ${code}, for a unary call and for a stream, and the connection goes on`, async () => {
    let first = true
    await using peer = await server((each, headers) => {
      const honest = headers[':path'] === '/test.raw.v1.Raw/Nothing'
      answering(honest ? { body: [framed(new Uint8Array())] } : parts)(each, headers)
      first = false
    })
    await using client = connected(peer.port, { messageSize: 100_000 })
    const error = await failure(client.echo({ n: 1 }))
    assert.equal(error.code, code, error.message)
    assert.match(error.message, message)
    assert.equal(error.origin, 'downstream')
    await client.nothing()
    assert.equal(first, false)

    const streamed: number[] = []
    const read = async () => {
      for await (const { n } of client.count({ n: 1 })) streamed.push(n)
    }
    if (what === 'no message' || what === 'two messages') await read()
    else assert.equal((await failure(read())).code, code)
  })
}

test('trailers that come alone are an answer: an error, or a stream of nothing', async () => {
  await using peer = await server((each, headers) => {
    const status = headers[':path'] === '/test.raw.v1.Raw/Count' ? '0' : '7'
    // A proxy may have its own idea of the HTTP status.
    const given = { ...head, ':status': status === '0' ? 200 : 403, 'grpc-status': status }
    each.respond({ ...given, 'grpc-message': 'nobody%20may' }, { endStream: true })
  })
  await using client = connected(peer.port)
  const error = await failure(client.echo({ n: 1 }))
  assert.equal(error.code, 'permission_denied')
  assert.equal(error.message, 'nobody may')
  for await (const _ of client.count({ n: 1 })) assert.fail('a message')
})

test('a stream that is reset has the code that gRPC gives to the error of HTTP/2', async () => {
  const codes = { 8: 'canceled', 11: 'resource_exhausted', 2: 'internal', 12: 'permission_denied' }
  for (const [number, code] of Object.entries(codes)) {
    await using peer = await server((each) => each.close(Number(number)))
    await using client = connected(peer.port)
    assert.equal((await failure(client.echo({ n: 1 }))).code, code)
  }
})

test('a call that the server refused unseen is made once more by itself', async () => {
  let asked = 0
  await using peer = await server((each, headers) => {
    if (asked++ === 0) each.close(http2.constants.NGHTTP2_REFUSED_STREAM)
    else answering({})(each, headers)
  })
  await using client = connected(peer.port)
  assert.deepEqual(await client.echo({ n: 7 }), { n: 7 })
  assert.equal(asked, 2)
})

test('a connection that the server leaves is followed by another', async () => {
  let connections = 0
  await using peer = await server((each, headers) => {
    answering({})(each, headers)
    const { session } = each
    if (connections++ === 0) each.on('close', () => session?.goaway(0))
  })
  await using client = connected(peer.port)
  for (let i = 0; i < 20; i++) assert.deepEqual(await client.echo({ n: 7 }), { n: 7 })
})

test('a server that speaks no HTTP/2 is unavailable', async () => {
  const plain = net.createServer((socket) =>
    socket.resume().end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n'),
  )
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve))
  await using client = connected((plain.address() as AddressInfo).port)
  const error = await failure(client.echo({ n: 1 }))
  assert.equal(error.code, 'unavailable')
  assert.equal(error.processed, 'no')
  await new Promise((resolve) => plain.close(resolve))
})

test('what a request says: path, time, codings, metadata', async () => {
  const seen: http2.IncomingHttpHeaders[] = []
  await using peer = await server((each, headers) => {
    seen.push(headers)
    answering({})(each, headers)
  })
  const wires = [grpc({ compression: 'gzip' })]
  await using client = connect(Service, `grpc://127.0.0.1:${peer.port}`, { log: quiet, wires })
  await client.echo(
    { n: 1 },
    { timeout: 1_500, metadata: { 'x-tenant': 'acme', 'x-raw-bin': Uint8Array.of(255) } },
  )
  const [headers = {}] = seen
  assert.equal(headers[':method'], 'POST')
  assert.equal(headers[':path'], '/test.raw.v1.Raw/Echo')
  assert.equal(headers.te, 'trailers')
  assert.match(String(headers['grpc-timeout']), /^1[45]\d\dm$/)
  assert.equal(headers['grpc-encoding'], 'gzip')
  assert.equal(headers['grpc-accept-encoding'], 'identity,deflate,gzip')
  assert.match(String(headers['user-agent']), /^grpc-/)
  assert.equal(headers['x-tenant'], 'acme')
  assert.equal(headers['x-raw-bin'], '/w')
})
