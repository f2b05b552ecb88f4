import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as z from 'zod'
import { call, type CallDeclaration } from './call.ts'
import { ContractError } from './contract-error.ts'
import { contract, contractInfo } from './contract.ts'
import type { RestRoute } from './operation.ts'
import { stream } from './stream.ts'

const Order = z.object({ id: z.string(), sku: z.string() })

function routeOf(declared: CallDeclaration, prefix?: string): RestRoute {
  const options = prefix === undefined ? {} : { rest: { prefix } }
  const operation = contractInfo(contract('acme.x.v1', { it: declared }, options)).operations.get('it')
  assert.ok(operation?.kind === 'call')
  return operation.rest
}

/** What TypeScript refuses already must be refused at run time too: for JavaScript, and for what types cannot see. */
function refused(declaration: object, message: RegExp): void {
  assert.throws(
    () => routeOf(call(declaration as { input: typeof Order })),
    (error) => error instanceof ContractError && message.test(error.message),
    String(message),
  )
}

test('without rest: a call is a POST to its own name', () => {
  assert.deepEqual(routeOf(call({ input: Order, output: Order })), {
    method: 'POST',
    path: '/acme.x.v1/it',
    implied: true,
    status: 200,
    location: undefined,
    headers: {},
    query: [],
    parameters: [],
    body: undefined,
  })
  assert.equal(routeOf(call({ input: Order })).status, 204)
})

test('GET, HEAD, DELETE and OPTIONS put all that is not in the path into the query string', () => {
  const input = z.object({ id: z.string(), page: z.int32().optional(), tag: z.array(z.string()).optional() })

  for (const method of ['GET', 'DELETE', 'OPTIONS', 'HEAD'] as const) {
    const route = routeOf(call({ input, rest: `${method} /orders/{id}` }))
    assert.deepEqual([route.parameters, route.query], [['id'], ['page', 'tag']])
  }
})

test('POST, PUT and PATCH leave the rest in the body', () => {
  for (const method of ['POST', 'PUT', 'PATCH'] as const) {
    const route = routeOf(call({ input: Order, rest: `${method} /orders/{id}` }))
    assert.deepEqual([route.parameters, route.query, route.body], [['id'], [], undefined])
  }
})

test('status, location, headers, query and body are as declared', () => {
  const input = z.object({ order: Order, requestId: z.string(), dry: z.boolean().optional() })
  const route = routeOf(
    call({
      input,
      output: Order,
      rest: {
        route: 'POST /orders',
        status: 201,
        location: '/orders/{id}',
        headers: { requestId: 'X-Request-Id' },
        query: ['dry'],
        body: 'order',
      },
    }),
  )

  assert.deepEqual(route, {
    method: 'POST',
    path: '/orders',
    implied: false,
    status: 201,
    location: '/orders/{id}',
    headers: { requestId: 'x-request-id' },
    query: ['dry'],
    parameters: [],
    body: 'order',
  })
})

test('a prefix stands before every route', () => {
  assert.equal(routeOf(call({ rest: 'GET /orders' }), '/api/v2').path, '/api/v2/orders')
  assert.equal(routeOf(call({}), '/api').path, '/api/acme.x.v1/it')
  assert.equal(routeOf(call({ rest: 'GET /' }), '/api').path, '/api')

  for (const prefix of ['api', '/api/', '/', '/{tenant}']) {
    assert.throws(() => routeOf(call({}), prefix), ContractError)
  }
})

test('a path parameter is a required scalar of the input', () => {
  refused(
    { input: Order, rest: 'GET /orders/{ident}' },
    /path parameter 'ident' is not a field of the input, which has 'id', 'sku'/,
  )
  refused({ rest: 'GET /orders/{id}' }, /there is no input/)
  refused({ input: stream(Order), rest: 'POST /orders/{id}' }, /the input is a stream/)
  refused({ input: z.array(z.string()), rest: 'POST /orders/{id}' }, /no object/)
  refused({ input: z.object({ id: z.string().optional() }), rest: 'GET /orders/{id}' }, /it may be left out/)
  refused(
    { input: z.object({ id: z.string().default('x') }), rest: 'GET /orders/{id}' },
    /it may be left out/,
  )
  refused({ input: z.object({ id: z.string().nullable() }), rest: 'GET /orders/{id}' }, /it may be null/)
  refused(
    { input: z.object({ id: z.array(z.string()) }), rest: 'GET /orders/{id}' },
    /required string, number/,
  )
})

test('what has no body takes only what a query string can hold', () => {
  refused(
    { input: z.object({ order: Order }), rest: 'GET /orders' },
    /'order' is neither a scalar nor a list/,
  )
  refused({ input: z.object({ sku: z.string().nullable() }), rest: 'GET /orders' }, /may be null/)
  refused({ input: z.array(z.string()), rest: 'GET /orders' }, /the input must be an object/)
  refused({ input: stream(Order), rest: 'GET /orders' }, /a streamed input is a body/)
  refused({ input: Order, rest: { route: 'GET /orders', body: 'id' } }, /GET has no body/)
  refused({ output: Order, rest: 'HEAD /orders' }, /HEAD has no body/)
})

test('a field travels in one place', () => {
  refused(
    { input: Order, rest: { route: 'GET /orders/{id}', query: ['id'] } },
    /'id' travels as the path parameter already/,
  )
  refused({ input: Order, rest: { route: 'POST /orders', headers: { id: 'X-Id' }, body: 'id' } }, /already/)
  refused({ input: Order, rest: { route: 'POST /orders', query: ['id', 'id'] } }, /already/)
  refused(
    { input: Order, rest: { route: 'POST /orders', body: 'id' } },
    /'sku' must go to path, query or headers/,
  )
})

test('headers have names that are free', () => {
  refused({ input: Order, rest: { route: 'POST /x', headers: { id: 'X Id' } } }, /no name of a header/)
  refused(
    { input: Order, rest: { route: 'POST /x', headers: { id: 'Content-Type' } } },
    /belongs to HTTP itself/,
  )
  refused(
    { input: Order, rest: { route: 'POST /x', headers: { id: 'X-A', sku: 'x-a' } } },
    /two fields travel in 'x-a'/,
  )
})

test('status and location fit the output', () => {
  refused({ rest: { route: 'POST /x', status: 404 } }, /404 is no success/)
  refused({ output: Order, rest: { route: 'POST /x', status: 204 } }, /204 has no body/)
  refused(
    { output: Order, rest: { route: 'POST /x', location: '/x/{ident}' } },
    /\{ident\} is not a field of the output/,
  )
  refused(
    { output: z.object({ id: z.string().optional() }), rest: { route: 'POST /x', location: '/x/{id}' } },
    /may be left out/,
  )
})

test('GET is safe, or it is no GET', () => {
  refused({ rest: 'GET /x', idempotency: 'keyed' }, /GET is safe/)
  assert.equal(routeOf(call({ rest: 'GET /x', idempotency: 'safe' })).method, 'GET')
})

test('an option that does not exist is refused', () => {
  refused({ rest: { route: 'GET /x', stauts: 201 } }, /'stauts' is no option; did you mean 'status'/)
})
