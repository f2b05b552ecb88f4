/** gRPC-Web as a browser speaks it, over HTTP/1.1. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { call, contract, implement, serve, stream } from 'trunkline'
import { grpcWeb } from 'trunkline/wires'
import * as z from 'zod'
import { quiet } from '../../../test/support/quiet-log.ts'

const Item = z.object({ text: z.string() })
const Service = contract('test.web.v1', {
  echo: call({ input: Item, output: Item }),
  count: call({ input: Item, output: stream(Item) }),
  sum: call({ input: stream(Item), output: Item }),
})

const service = implement(Service, {
  echo(item, ctx) {
    ctx.reply.metadata.set('x-head', 'first')
    return item
  },
  async *count({ text }) {
    for (const each of text) yield { text: each }
  },
  sum: () => ({ text: '' }),
})

const start = (origins?: readonly string[]) =>
  serve(service, { port: 0, log: quiet, wires: [grpcWeb(origins === undefined ? {} : { origins })] })

/** `{ text: 'a' }` in an envelope. */
const message = Buffer.from([0, 0, 0, 0, 3, 0x0a, 1, 0x61])

const ask = (port: number, method: string, type: string, body: Buffer | string, headers = {}) =>
  fetch(`http://127.0.0.1:${port}/test.web.v1.Web/${method}`, {
    method: 'POST',
    headers: { 'content-type': type, ...headers },
    body: body as string,
  })

test('a call in binary is answered by its message and its trailers, in the same format', async () => {
  await using server = await start()
  const answer = await ask(server.port, 'Echo', 'application/grpc-web', message)
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('content-type'), 'application/grpc-web+proto')
  const body = Buffer.from(await answer.arrayBuffer())
  assert.deepEqual(body.subarray(0, message.length), message)
  assert.equal(body[message.length], 0x80)
  assert.equal(body.toString('latin1', message.length + 5), 'grpc-status: 0\r\n')

  const json = Buffer.from('{"text":"a"}')
  const asked = Buffer.concat([Buffer.from([0, 0, 0, 0, json.length]), json])
  const inJson = await ask(server.port, 'Echo', 'application/grpc-web+json', asked)
  assert.equal(inJson.headers.get('content-type'), 'application/grpc-web+json')
  assert.ok(Buffer.from(await inJson.arrayBuffer()).includes(json))
})

test('a call in text is answered in base64, each piece with its padding', async () => {
  await using server = await start()
  const answer = await ask(server.port, 'Count', 'application/grpc-web-text', message.toString('base64'))
  assert.equal(answer.headers.get('content-type'), 'application/grpc-web-text+proto')
  const text = await answer.text()
  assert.match(text, /^[A-Za-z0-9+/=]+$/)
  const body = Buffer.concat(
    (text.match(/[A-Za-z0-9+/]+=*/g) ?? []).map((each) => Buffer.from(each, 'base64')),
  )
  assert.deepEqual(body.subarray(0, message.length), message)
  assert.match(body.toString('latin1', message.length), /grpc-status: 0/)

  const broken = await ask(server.port, 'Echo', 'application/grpc-web-text', 'AAA*')
  assert.match(
    Buffer.from(await broken.text(), 'base64').toString(),
    /grpc-status: 13\r\ngrpc-message: .*base64/,
  )
})

test('what cannot be called says so in its trailers', async () => {
  await using server = await start()
  const status = async (answer: Response) => {
    assert.equal(answer.status, 200)
    return /grpc-status: (\d+)/.exec(Buffer.from(await answer.arrayBuffer()).toString('latin1'))?.[1]
  }
  assert.equal(await status(await ask(server.port, 'Nothing', 'application/grpc-web', message)), '12')
  assert.equal(await status(await ask(server.port, 'Sum', 'application/grpc-web', message)), '12')
  assert.equal(await status(await ask(server.port, 'Echo', 'application/grpc-web+thrift', message)), '12')
  assert.equal(await status(await ask(server.port, 'Echo', 'application/grpc-web', '')), '12')
  assert.equal(
    await status(await ask(server.port, 'Echo', 'application/grpc-web', message.subarray(0, 6))),
    '13',
  )
  const timeout = { 'grpc-timeout': 'soon' }
  assert.equal(await status(await ask(server.port, 'Echo', 'application/grpc-web', message, timeout)), '13')
  const plain = await ask(server.port, 'Echo', 'text/plain', 'a')
  assert.equal(plain.status, 415)
})

test('pages of allowed origins may call and read all of the answer; those of others may not', async () => {
  await using server = await start(['https://app.example'])
  const path = `http://127.0.0.1:${server.port}/test.web.v1.Web/Echo`
  const preflight = (origin: string) =>
    fetch(path, {
      method: 'OPTIONS',
      headers: {
        origin: origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,x-grpc-web,x-tenant',
      },
    })

  const allowed = await preflight('https://app.example')
  assert.equal(allowed.status, 204)
  assert.equal(allowed.headers.get('access-control-allow-origin'), 'https://app.example')
  assert.equal(allowed.headers.get('access-control-allow-methods'), 'POST')
  assert.equal(allowed.headers.get('access-control-allow-headers'), 'content-type,x-grpc-web,x-tenant')
  assert.match(allowed.headers.get('vary') ?? '', /origin/)
  const refused = await preflight('https://evil.example')
  assert.equal(refused.headers.get('access-control-allow-origin'), null)

  const origin = { origin: 'https://app.example' }
  const answer = await ask(server.port, 'Echo', 'application/grpc-web', message, origin)
  assert.equal(answer.headers.get('access-control-allow-origin'), 'https://app.example')
  assert.match(answer.headers.get('access-control-expose-headers') ?? '', /\*.*grpc-status/)
  assert.equal(answer.headers.get('x-head'), 'first')
  const other = { origin: 'https://evil.example' }
  const answered = await ask(server.port, 'Echo', 'application/grpc-web', message, other)
  assert.equal(answered.headers.get('access-control-allow-origin'), null)
})

test('an origin that is none is refused when the wire is made', () => {
  assert.throws(() => grpcWeb({ origins: ['https://app.example/'] }), /did you mean 'https:\/\/app.example'/)
  assert.throws(() => grpcWeb({ origins: ['app.example'] }), TypeError)
})
