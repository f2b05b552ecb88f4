/** Connect as anything with HTTP speaks it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import zlib from 'node:zlib'
import { CallError, call, contract, implement, serve, stream } from 'trunkline'
import { connectRpc, grpc, grpcWeb, rest } from 'trunkline/wires'
import * as z from 'zod'
import { quiet } from '../../../test/support/quiet-log.ts'

const Item = z.object({ text: z.string().max(100_000) })
const Service = contract('test.web.v1', {
  echo: call({ input: Item, output: Item }),
  look: call({ input: Item, output: Item, idempotency: 'safe' }),
  fail: call({ input: Item, output: Item }),
  count: call({ input: Item, output: stream(Item) }),
  wait: call({ input: Item, output: Item }),
})

const service = implement(Service, {
  echo(item, ctx) {
    ctx.reply.metadata.set('x-head', 'first')
    ctx.reply.trailers.set('x-tail', 'last')
    return item
  },
  look: (item) => item,
  fail({ text }) {
    throw new CallError(text as 'not_found', 'because', { retryAfter: 2_000 })
  },
  async *count({ text }) {
    for (const each of text) yield { text: each }
  },
  wait: (_item, ctx) =>
    new Promise((_resolve, reject) => {
      ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason as Error))
    }),
})

const start = (options: Parameters<typeof connectRpc>[0] = {}, limits = {}) =>
  serve(service, { port: 0, log: quiet, wires: [grpc(), grpcWeb(), connectRpc(options), rest()], limits })

const url = (port: number, method: string, query = '') =>
  `http://127.0.0.1:${port}/test.web.v1.Web/${method}${query}`

const post = (
  port: number,
  method: string,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
) =>
  fetch(url(port, method), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: body as string,
  })

test('a unary call is a POST, its answer the message; trailers are header fields', async () => {
  await using server = await start()
  const answer = await post(server.port, 'Echo', '{"text":"a"}', { 'connect-protocol-version': '1' })
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('content-type'), 'application/json')
  assert.equal(answer.headers.get('x-head'), 'first')
  assert.equal(answer.headers.get('trailer-x-tail'), 'last')
  assert.deepEqual(await answer.json(), { text: 'a' })

  const inProto = await post(server.port, 'Echo', Buffer.from([0x0a, 1, 0x61]), {
    'content-type': 'application/proto',
  })
  assert.equal(inProto.headers.get('content-type'), 'application/proto')
  assert.deepEqual(Buffer.from(await inProto.arrayBuffer()), Buffer.from([0x0a, 1, 0x61]))
})

test('what changes nothing can be asked for by GET; what may change something cannot', async () => {
  await using server = await start()
  const message = encodeURIComponent('{"text":"ä"}')
  const answer = await fetch(url(server.port, 'Look', `?connect=v1&encoding=json&message=${message}`))
  assert.deepEqual(await answer.json(), { text: 'ä' })
  const packed = zlib.gzipSync('{"text":"packed"}').toString('base64url')
  const query = `?connect=v1&encoding=json&compression=gzip&base64=1&message=${packed}`
  assert.deepEqual(await (await fetch(url(server.port, 'Look', query))).json(), { text: 'packed' })

  const refused = await fetch(url(server.port, 'Echo', `?connect=v1&encoding=json&message=${message}`))
  assert.deepEqual([refused.status, refused.headers.get('allow')], [405, 'POST'])
  const put = await fetch(url(server.port, 'Look'), { method: 'PUT', body: '{}' })
  assert.deepEqual([put.status, put.headers.get('allow')], [405, 'GET, POST'])

  const wrong = {
    '?connect=v2&encoding=json&message=%7B%7D': 400,
    '?connect=v1&encoding=json': 400,
    '?connect=v1&encoding=json&message=%4': 400,
    '?connect=v1&encoding=json&base64=1&message=*': 400,
    '?connect=v1&encoding=xml&message=': 415,
    '?connect=v1&message=%7B%7D': 415,
    '?connect=v1&encoding=json&compression=lzw&message=%7B%7D': 501,
  }
  for (const [text, status] of Object.entries(wrong)) {
    assert.equal((await fetch(url(server.port, 'Look', text))).status, status, text)
  }
})

test('each status code has its HTTP status, and its error in JSON', async () => {
  await using server = await start()
  const statuses = {
    canceled: 499,
    unknown: 500,
    invalid_argument: 400,
    deadline_exceeded: 504,
    not_found: 404,
    already_exists: 409,
    permission_denied: 403,
    resource_exhausted: 429,
    failed_precondition: 400,
    aborted: 409,
    out_of_range: 400,
    unimplemented: 501,
    internal: 500,
    unavailable: 503,
    data_loss: 500,
    unauthenticated: 401,
  }
  for (const [code, status] of Object.entries(statuses)) {
    const answer = await post(server.port, 'Fail', JSON.stringify({ text: code }), {
      'content-type': 'application/json; charset=utf-8',
    })
    assert.equal(answer.status, status, code)
    assert.equal(answer.headers.get('content-type'), 'application/json')
    const error = (await answer.json()) as { code: string; message: string; details: { type: string }[] }
    assert.deepEqual(
      [error.code, error.message, error.details[0]?.type],
      [code, 'because', 'google.rpc.RetryInfo'],
    )
  }
})

test('a request that is none says what is wrong with it', async () => {
  await using server = await start()
  const { port } = server
  const status = async (answer: Promise<Response>) => (await answer).status
  assert.equal(await status(post(port, 'Echo', '{}', { 'content-type': 'text/plain' })), 415)
  assert.equal(await status(post(port, 'Echo', '', { 'content-type': 'application/connect+json' })), 415)
  assert.equal(await status(post(port, 'Count', '{}')), 415)
  assert.equal(await status(post(port, 'Count', '', { 'content-type': 'application/connect+thrift' })), 415)
  assert.equal(await status(post(port, 'Nothing', '', { 'content-type': 'application/connect+json' })), 404)
  assert.equal(await status(post(port, 'Nothing', '{}')), 404)
  assert.equal(await status(post(port, 'Echo', '{"text":"a"}', { 'connect-protocol-version': '2' })), 400)
  assert.equal(await status(post(port, 'Echo', '{"text":"a"}', { 'connect-timeout-ms': 'soon' })), 400)
  assert.equal(await status(post(port, 'Echo', '{"text":"a"}', { 'x-sign-bin': '*' })), 400)
  assert.equal(await status(post(port, 'Echo', '{"text":"a"}', { 'content-encoding': 'lzw' })), 501)
  assert.equal(await status(post(port, 'Echo', 'no gzip', { 'content-encoding': 'gzip' })), 400)
  assert.equal(await status(post(port, 'Echo', '{"text":1}')), 400)
  assert.equal(await status(post(port, 'Echo', '')), 400)
  assert.equal(await status(post(port, 'Wait', '{"text":""}', { 'connect-timeout-ms': '20' })), 504)

  const issues = (await (await post(port, 'Echo', '{"text":1}')).json()) as { details: { type: string }[] }
  assert.equal(issues.details[0]?.type, 'google.rpc.BadRequest')
})

test('a message is bounded, compressed or not, in a body and in a query', async () => {
  await using server = await start({}, { messageSize: 1_000 })
  const large = JSON.stringify({ text: 'x'.repeat(2_000) })
  assert.equal((await post(server.port, 'Echo', large)).status, 429)
  const packed = zlib.gzipSync(large)
  assert.ok(packed.length < 1_000)
  assert.equal((await post(server.port, 'Echo', packed, { 'content-encoding': 'gzip' })).status, 429)
  const query = (text: string, more: string) => `?connect=v1&encoding=json${more}&message=${text}`
  assert.equal((await fetch(url(server.port, 'Look', query(encodeURIComponent(large), '')))).status, 429)
  const text = packed.toString('base64url')
  assert.equal((await fetch(url(server.port, 'Look', query(text, '&base64=1&compression=gzip')))).status, 429)
  assert.equal((await post(server.port, 'Echo', '{"text":"small"}')).status, 200)
})

test('answers of 1 KiB and more are compressed for who reads it, if the server is told to', async () => {
  await using server = await start({ compression: 'br' })
  const large = JSON.stringify({ text: 'x'.repeat(2_000) })
  const packed = await post(server.port, 'Echo', zlib.gzipSync(large), {
    'content-encoding': 'gzip',
    'accept-encoding': 'gzip, br',
  })
  assert.equal(packed.headers.get('content-encoding'), 'br')
  assert.deepEqual(await packed.json(), JSON.parse(large))
  const plain = await post(server.port, 'Echo', large, { 'accept-encoding': 'gzip' })
  assert.equal(plain.headers.get('content-encoding'), null)
})

test('a stream ends with a message that says how it went', async () => {
  await using server = await start()
  const json = Buffer.from('{"text":"ab"}')
  const body = Buffer.concat([Buffer.from([0, 0, 0, 0, json.length]), json])
  const answer = await post(server.port, 'Count', body, { 'content-type': 'application/connect+json' })
  assert.equal(answer.headers.get('content-type'), 'application/connect+json')
  const bytes = Buffer.from(await answer.arrayBuffer())
  const messages: [number, string][] = []
  for (let at = 0; at < bytes.length;) {
    const size = bytes.readUInt32BE(at + 1)
    messages.push([bytes[at]!, bytes.toString('utf8', at + 5, at + 5 + size)])
    at += 5 + size
  }
  assert.deepEqual(messages, [
    [0, '{"text":"a"}'],
    [0, '{"text":"b"}'],
    [2, '{}'],
  ])

  for (let at = 0; at < body.length; at++) {
    const cut = await post(server.port, 'Count', body.subarray(0, at), {
      'content-type': 'application/connect+json',
    })
    assert.equal(cut.status, 200)
    assert.match(await cut.text(), /"error":\{"code":"(?:internal|unimplemented)"/)
  }
})

test('pages of allowed origins may call by POST and GET', async () => {
  await using server = await start({ origins: ['*'] })
  const headers = { origin: 'https://app.example', 'access-control-request-method': 'POST' }
  const preflight = await fetch(url(server.port, 'Echo'), { method: 'OPTIONS', headers })
  assert.equal(preflight.status, 204)
  assert.equal(preflight.headers.get('access-control-allow-origin'), '*')
  assert.equal(preflight.headers.get('access-control-allow-methods'), 'GET, POST')
  const answer = await post(server.port, 'Fail', '{"text":"aborted"}', { origin: 'https://app.example' })
  assert.equal(answer.headers.get('access-control-allow-origin'), '*')
})
