import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import zlib from 'node:zlib'
import * as z from 'zod'
import { type RawAnswer, restServer, send } from '../../../test/support/rest-server.ts'
import { CallError } from '../../call/error.ts'
import type { Filter } from '../../call/handler.ts'
import { call } from '../../contract/call.ts'
import { contract } from '../../contract/contract.ts'
import { fault } from '../../contract/fault.ts'
import { implement } from '../../server/implement.ts'

const Order = z.object({ id: z.string(), sku: z.string(), quantity: z.int32().min(1) }).meta({ id: 'Order' })

const Shop = contract('acme.shop.v1', {
  place: call({
    input: z.object({ sku: z.string(), quantity: z.int32().min(1), note: z.string().default('') }),
    output: Order,
    faults: {
      outOfStock: fault('failed_precondition', z.object({ left: z.int64() }), { http: 409 }),
      closed: fault('unavailable'),
    },
    rest: { route: 'POST /orders', status: 201, location: '/orders/{id}' },
  }),
  get: call({ input: z.object({ id: z.string() }), output: Order, rest: 'GET /orders/{id}' }),
  replace: call({ input: Order, output: Order, rest: 'PUT /orders/{id}' }),
  patch: call({
    input: z.strictObject({ id: z.string(), quantity: z.int32().optional() }),
    output: z.object({ id: z.string(), quantity: z.int32().nullable() }),
    rest: 'PATCH /orders/{id}',
  }),
  remove: call({ input: z.object({ id: z.string() }), rest: 'DELETE /orders/{id}' }),
  cancel: call({ input: z.object({ id: z.string() }), output: z.string(), rest: 'POST /orders/{id}:cancel' }),
  search: call({
    input: z.object({
      text: z.string().optional(),
      limit: z.int32().max(100).default(10),
      big: z.int64().optional(),
      price: z.number().optional(),
      open: z.boolean().optional(),
      since: z.date().optional(),
      status: z.enum(['new', 'paid']).optional(),
      tags: z.array(z.string()),
      counts: z.array(z.int32()).optional(),
      tenant: z.string().optional(),
      regions: z.array(z.string()).optional(),
    }),
    output: z.json(),
    rest: { route: 'GET /orders', headers: { tenant: 'X-Tenant', regions: 'X-Regions' } },
  }),
  strict: call({
    input: z.strictObject({ a: z.string().optional() }),
    output: z.json(),
    rest: 'GET /strict',
  }),
  rename: call({
    input: z.object({ id: z.string(), dry: z.boolean().optional(), name: z.string() }),
    output: z.json(),
    rest: { route: 'POST /orders/{id}:rename', query: ['dry'], body: 'name' },
  }),
  checked: call({
    input: z.object({ a: z.string().refine((text) => text !== 'no', 'must not be no') }),
    output: z.json(),
  }),
  maybe: call({ output: z.string().nullable() }),
  large: call({ input: z.object({ size: z.int32() }), output: z.string(), rest: 'GET /large' }),
  meta: call({ output: z.json(), rest: 'GET /meta' }),
  fail: call({ input: z.object({ how: z.string() }), output: z.string(), rest: 'POST /fail' }),
  wait: call({ output: z.string(), rest: 'POST /wait' }),
})

const shop = implement(Shop, {
  place({ sku, quantity }, ctx) {
    if (sku === 'NONE') throw ctx.fault.outOfStock({ left: 2n ** 60n })
    if (sku === 'SHUT') throw ctx.fault.closed()
    return { id: `${sku}/1`, sku, quantity }
  },
  get: ({ id }) => ({ id, sku: 'A', quantity: 1 }),
  replace: (order) => order,
  patch: ({ id, quantity }) => ({ id, quantity: quantity ?? null }),
  remove: () => undefined,
  cancel: ({ id }) => `canceled ${id}`,
  search: (query) => json(query),
  strict: (query) => json(query),
  rename: (input) => json(input),
  checked: (input) => json(input),
  maybe: () => null,
  large: ({ size }) => 'x'.repeat(size),
  meta(_, ctx) {
    ctx.reply.metadata.set('x-answer', '42')
    ctx.reply.metadata.set('x-bytes-bin', Uint8Array.of(1, 2, 250))
    ctx.reply.trailers.set('x-count', '3')
    return json(Object.fromEntries(ctx.metadata.entries()))
  },
  fail({ how }) {
    if (how === 'throw') throw new Error('secret')
    if (how === 'shape') return 7 as never
    throw new CallError(how as 'aborted', `failed: ${how}`, { retryAfter: 1_500 })
  },
  wait: (_, ctx) =>
    new Promise((_resolve, reject) => {
      ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason as Error))
    }),
})

function json(value: unknown): never {
  const plain = (_: string, each: unknown) => (typeof each === 'bigint' ? `${each}n` : each)
  return JSON.parse(JSON.stringify(value, plain)) as never
}

const jsonBody = { 'content-type': 'application/json' }

function problem(answer: RawAnswer): Record<string, unknown> {
  assert.equal(answer.headers['content-type'], 'application/problem+json')
  const body = JSON.parse(answer.text) as Record<string, unknown>
  assert.equal(body['status'], answer.status)
  return body
}

suite('REST server', async () => {
  const server = await restServer([shop as never])
  test.after(() => server[Symbol.asyncDispose]())

  const post = (path: string, body: string, headers: Record<string, string> = jsonBody) =>
    send(`${server.url}${path}`, { method: 'POST', headers, body })
  const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    send(`${server.url}${path}`, { method, headers })

  suite('answers', () => {
    test('a body in, a body out, with the declared status and Location', async () => {
      const answer = await post('/orders', '{"sku":"A","quantity":2}')

      assert.equal(answer.status, 201)
      assert.equal(answer.headers['location'], '/orders/A%2F1')
      assert.equal(answer.headers['content-type'], 'application/json')
      assert.deepEqual(JSON.parse(answer.text), { id: 'A/1', sku: 'A', quantity: 2 })
    })

    test('no output is 204 without a body, null is the JSON null', async () => {
      const removed = await get('/orders/7', {}, 'DELETE')
      assert.deepEqual([removed.status, removed.text, removed.headers['content-type']], [204, '', undefined])

      const maybe = await post('/acme.shop.v1/maybe', '')
      assert.deepEqual([maybe.status, maybe.text], [200, 'null'])
    })

    test('HEAD answers what GET does, without the body', async () => {
      const full = await get('/orders/7')
      const head = await get('/orders/7', {}, 'HEAD')
      assert.deepEqual([head.status, head.text], [200, ''])
      assert.equal(head.headers['content-length'], full.headers['content-length'])
    })

    test('a large answer is compressed as the client likes, a small one is not', async () => {
      const undo: Record<string, (bytes: Buffer) => Buffer> = {
        gzip: zlib.gunzipSync,
        br: zlib.brotliDecompressSync,
        zstd: zlib.zstdDecompressSync,
      }

      for (const [coding, decompress] of Object.entries(undo)) {
        const answer = await get('/large?size=5000', { 'accept-encoding': coding })
        assert.equal(answer.headers['content-encoding'], coding)
        assert.equal(answer.headers['vary'], 'accept-encoding')
        assert.equal(decompress(answer.bytes).toString(), JSON.stringify('x'.repeat(5000)))
      }

      const small = await get('/large?size=100', { 'accept-encoding': 'gzip' })
      assert.equal(small.headers['content-encoding'], undefined)
      const plain = await get('/large?size=5000')
      assert.deepEqual(
        [plain.headers['content-encoding'], plain.headers['vary']],
        [undefined, 'accept-encoding'],
      )
    })

    test('metadata comes as headers and goes as headers, trailers with a prefix', async () => {
      const answer = await get('/meta', {
        'x-tenant': 'acme',
        'x-key-bin': 'AQI',
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        cookie: 'secret=1',
        'accept-language': 'de',
      })

      assert.deepEqual(JSON.parse(answer.text), {
        'x-tenant': 'acme',
        'x-key-bin': { 0: 1, 1: 2 },
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      })
      assert.equal(answer.headers['x-answer'], '42')
      assert.equal(answer.headers['x-bytes-bin'], 'AQL6')
      assert.equal(answer.headers['trailer-x-count'], '3')
    })
  })

  suite('input', () => {
    test('every kind of query parameter and header, exactly', async () => {
      const query =
        'text=a+b%26&limit=7&big=9223372036854775807&price=-1.5e3&open=true&since=2026-01-02T03:04:05Z' +
        '&status=paid&tags=x&tags=y%2Cz&counts=1&counts=-2&unknown=1'
      const answer = await get(`/orders?${query}`, { 'x-tenant': 'acme', 'x-regions': 'eu, us' })

      assert.deepEqual(JSON.parse(answer.text), {
        text: 'a b&',
        limit: 7,
        big: '9223372036854775807n',
        price: -1500,
        open: true,
        since: '2026-01-02T03:04:05.000Z',
        status: 'paid',
        tags: ['x', 'y,z'],
        counts: [1, -2],
        tenant: 'acme',
        regions: ['eu', 'us'],
      })
    })

    test('a left-out list is empty, a left-out default is filled', async () => {
      assert.deepEqual(JSON.parse((await get('/orders')).text), { limit: 10, tags: [] })
    })

    test('errors name the field, what was expected and what came', async () => {
      const answer = await get('/orders?limit=two&open=yes&since=now&status=old&big=1.5&counts=1&counts=x')
      const { errors, detail, code } = problem(answer)

      assert.equal(answer.status, 400)
      assert.equal(code, 'invalid_argument')
      assert.match(String(detail), /limit: expected an integer ≤ 100, got "two"/)
      assert.deepEqual(
        (errors as { path: string }[]).map(({ path }) => path),
        ['limit', 'big', 'open', 'since', 'status', 'counts[1]'],
      )
    })

    test('a parameter that is there twice, or badly encoded, is refused', async () => {
      assert.match(
        String(problem(await get('/orders?limit=1&limit=2'))['detail']),
        /limit: expected one value/,
      )
      assert.match(String(problem(await get('/orders?text=%zz'))['detail']), /percent-encoded/)
      assert.match(String(problem(await get('/orders/%C3'))['detail']), /not percent-encoded UTF-8/)
    })

    test('unknown query parameters are ignored, or refused by a strict object', async () => {
      assert.equal((await get('/strict?a=1')).status, 200)
      const { errors } = problem(await get('/strict?a=1&b=2'))
      assert.deepEqual(errors, [{ path: 'b', message: 'is no query parameter; there are a' }])
    })

    test('path and body together make the input; a body does not override the path', async () => {
      const answer = await send(`${server.url}/orders/7`, {
        method: 'PUT',
        headers: jsonBody,
        body: '{"sku":"B","quantity":3,"id":"8"}',
      })
      assert.deepEqual(JSON.parse(answer.text), { id: '7', sku: 'B', quantity: 3 })

      const strict = await send(`${server.url}/orders/7`, {
        method: 'PATCH',
        headers: jsonBody,
        body: '{"id":"7"}',
      })
      assert.deepEqual(problem(strict)['errors'], [
        { path: 'id', message: 'travels outside of the body; take it out of the body' },
      ])
    })

    test('a body may be left out where all its fields may', async () => {
      const answer = await get('/orders/7', {}, 'PATCH')
      assert.deepEqual(JSON.parse(answer.text), { id: '7', quantity: null })
      assert.match(
        String(problem(await get('/orders/7', {}, 'PUT'))['detail']),
        /sku: expected a string, got nothing/,
      )
    })

    test('one field can be the whole body', async () => {
      const answer = await post('/orders/7:rename?dry=true', '"seven"')
      assert.deepEqual(JSON.parse(answer.text), { id: '7', dry: true, name: 'seven' })
    })

    test('refinements run on what was decoded', async () => {
      assert.equal((await post('/acme.shop.v1/checked', '{"a":"yes"}')).status, 200)
      const { errors } = problem(await post('/acme.shop.v1/checked', '{"a":"no"}'))
      assert.deepEqual(errors, [{ path: 'a', message: 'must not be no' }])
    })

    test('text that is no JSON says where', async () => {
      const { detail } = problem(await post('/orders', '{"sku": }'))
      assert.match(String(detail), /not valid JSON at byte 8/)
    })

    test('bodies may be compressed, and are bounded after decompression', async () => {
      const body = zlib.gzipSync('{"sku":"A","quantity":2}')
      const headers = { ...jsonBody, 'content-encoding': 'gzip' }
      assert.equal((await send(`${server.url}/orders`, { method: 'POST', headers, body })).status, 201)

      const unknown = await post('/orders', '{}', { ...jsonBody, 'content-encoding': 'compress' })
      assert.equal(unknown.status, 415)
      assert.equal(unknown.headers['accept-encoding'], 'zstd, br, gzip, deflate')
    })
  })

  suite('routing', () => {
    test('an unknown path is 404, another method 405 with Allow, OPTIONS is answered', async () => {
      assert.equal(problem(await get('/nothing'))['code'], 'unimplemented')
      assert.equal((await get('/orders/')).status, 404)

      for (const method of ['DELETE', 'PUT', 'TRACE', 'PROPFIND']) {
        const answer = await get('/orders', {}, method)
        assert.equal(answer.status, 405, method)
        assert.equal(answer.headers['allow'], 'GET, HEAD, OPTIONS, POST')
      }

      const options = await get('/orders/7', {}, 'OPTIONS')
      assert.deepEqual([options.status, options.text], [204, ''])
      assert.equal(options.headers['allow'], 'DELETE, GET, HEAD, OPTIONS, PATCH, PUT')
    })

    test('verbs', async () => {
      assert.equal((await post('/orders/7:cancel', '')).text, '"canceled 7"')
    })

    test('Accept that leaves nothing is 406, a body that is no JSON 415', async () => {
      assert.equal((await get('/orders', { accept: 'text/html' })).status, 406)
      assert.equal((await get('/orders', { accept: 'text/html, application/*;q=0.1' })).status, 200)

      const body = '{"sku":"A","quantity":2}'
      for (const type of [
        'text/plain',
        'application/x-www-form-urlencoded',
        'application/json; charset=latin1',
      ]) {
        const answer = await post('/orders', body, { 'content-type': type })
        assert.equal(answer.status, 415, type)
        assert.equal(answer.headers['accept'], 'application/json')
      }
      assert.equal((await post('/orders', body, {})).status, 415)
      for (const type of [
        'application/json;charset=utf-8',
        'application/vnd.acme+json',
        'Application/JSON',
      ]) {
        assert.equal((await post('/orders', body, { 'content-type': type })).status, 201, type)
      }
    })

    test('a server that is closing refuses, and says that it may be repeated', async () => {
      await using closing = await restServer([shop as never])
      closing.host.draining = true
      const answer = await send(`${closing.url}/orders/7`)
      assert.equal(answer.status, 503)
      assert.equal(answer.headers['retry-after'], '1')
      assert.equal(problem(answer)['processed'], 'no')
    })

    test('a wire that is not the last leaves what it does not know to the next', () => {
      const request = { method: 'GET', target: '/nothing' }
      assert.equal(server.mount.matches(request as never), false)
      assert.equal(server.mount.serve({ request } as never, false), false)
      assert.equal(server.mount.matches({ method: 'GET', target: '/orders?x=1' } as never), true)
    })
  })

  suite('errors', () => {
    test('a declared fault comes with its status and its typed detail', async () => {
      const answer = await post('/orders', '{"sku":"NONE","quantity":1}')
      assert.equal(answer.status, 409)
      const { type, code, fault: raised } = problem(answer)
      assert.equal(type, 'urn:trunkline:fault:acme.shop.v1/place:outOfStock')
      assert.equal(code, 'failed_precondition')
      assert.deepEqual(raised, { name: 'outOfStock', detail: { left: '1152921504606846976' } })

      const closed = problem(await post('/orders', '{"sku":"SHUT","quantity":1}'))
      assert.deepEqual([closed['status'], closed['fault']], [503, { name: 'closed' }])
    })

    test('each code has its HTTP status; waiting times are in Retry-After', async () => {
      const statuses: Record<string, number> = {
        not_found: 404,
        permission_denied: 403,
        unauthenticated: 401,
        resource_exhausted: 429,
        unavailable: 503,
        unimplemented: 501,
        data_loss: 500,
      }
      for (const [code, status] of Object.entries(statuses)) {
        const answer = await post('/fail', JSON.stringify({ how: code }))
        assert.equal(answer.status, status, code)
        assert.equal(problem(answer)['code'], code)
        assert.equal(answer.headers['retry-after'], '2')
        assert.equal(answer.headers['www-authenticate'], status === 401 ? 'Bearer' : undefined)
      }
    })

    test('an unexpected error and a wrong answer are internal, and their text stays here', async () => {
      for (const how of ['throw', 'shape']) {
        const answer = await post('/fail', JSON.stringify({ how }))
        assert.equal(problem(answer)['code'], 'internal')
        assert.match(String(problem(answer)['detail']), /^internal error [0-9a-f-]{36}$/)
      }
      assert.ok(server.logged.some(([, message]) => message.includes('does not fit its contract')))
    })

    test('a deadline ends the call with 504; a malformed one is refused', async () => {
      const answer = await post('/wait', '', { 'trunkline-timeout': '20ms' })
      assert.equal(answer.status, 504)
      assert.equal(problem(answer)['code'], 'deadline_exceeded')
      assert.equal((await post('/wait', '', { 'trunkline-timeout': 'soon' })).status, 400)
    })

    test('too large a body is 413', async () => {
      await using small = await restServer([shop as never], { limits: { messageSize: 100 } })
      const body = JSON.stringify({ sku: 'x'.repeat(200), quantity: 1 })

      const announced = await send(`${small.url}/orders`, { method: 'POST', headers: jsonBody, body })
      assert.deepEqual([announced.status, problem(announced)['code']], [413, 'resource_exhausted'])

      const headers = { ...jsonBody, 'content-encoding': 'gzip' }
      const packed = await send(`${small.url}/orders`, { method: 'POST', headers, body: zlib.gzipSync(body) })
      assert.equal(packed.status, 413)
    })

    test('a filter refuses before the body is read', async () => {
      const refuse: Filter = () => () => {
        throw new CallError('unauthenticated', 'who are you?')
      }
      await using closed = await restServer([shop as never], { filters: [refuse] })
      const answer = await send(`${closed.url}/orders`, {
        method: 'POST',
        headers: jsonBody,
        body: 'no JSON',
      })
      assert.equal(answer.status, 401)
    })

    test('a caller that goes away cancels the call', async () => {
      const entered = Promise.withResolvers<void>()
      const outcome = Promise.withResolvers<string | undefined>()
      const watch: Filter = (next) => (current) => {
        current.onEnd(({ error }) => outcome.resolve(error?.code))
        entered.resolve()
        return next(current)
      }
      await using watched = await restServer([shop as never], { filters: [watch] })

      const leave = new AbortController()
      const started = fetch(`${watched.url}/wait`, { method: 'POST', signal: leave.signal })
      await entered.promise
      leave.abort()
      await assert.rejects(started)
      assert.equal(await outcome.promise, 'canceled')
    })
  })

  suite('documents', () => {
    test('the OpenAPI document and the page are served, and can be switched off', async () => {
      const openapi = await get('/openapi.json')
      assert.equal((JSON.parse(openapi.text) as { openapi: string }).openapi, '3.1.0')

      const page = await get('/docs')
      assert.match(String(page.headers['content-security-policy']), /default-src 'none'/)
      assert.match(page.text, /\/orders\/\{id\}/)

      await using bare = await restServer([shop as never], { rest: { openapi: false, docs: false } })
      assert.equal((await send(`${bare.url}/docs`)).status, 404)
      assert.equal((await send(`${bare.url}/openapi.json`)).status, 404)
    })
  })
})
