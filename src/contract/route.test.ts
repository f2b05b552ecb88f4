import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { ContractError } from './contract-error.ts'
import { conflict, httpMethods, parseRoute } from './route.ts'

const runs = 200 * Number(process.env['TRUNKLINE_FUZZ_RUNS'] ?? 1)

test('a route is a method and a path of literals, fields and verbs', () => {
  assert.deepEqual(parseRoute('x', 'POST /v1/orders/{id}/lines/{line}:cancel'), {
    method: 'POST',
    path: '/v1/orders/{id}/lines/{line}:cancel',
    segments: [
      { literal: 'v1' },
      { literal: 'orders' },
      { field: 'id', verb: '' },
      { literal: 'lines' },
      { field: 'line', verb: ':cancel' },
    ],
  })
  assert.deepEqual(parseRoute('x', 'GET /orders:watch').segments, [{ literal: 'orders:watch' }])
  assert.deepEqual(parseRoute('x', 'GET /').segments, [])
  assert.deepEqual(parseRoute('x', 'GET /caf%C3%A9').segments, [{ literal: 'caf%C3%A9' }])
})

test('a wrong route is refused with what is wrong', () => {
  const cases: [string, RegExp][] = [
    ['get /orders', /: 'GET \/orders'/],
    ['FETCH /orders', /must be a method/],
    ['GET orders', /begins with '\/'/],
    ['GET  /orders', /begins with '\/'/],
    ['/orders', /must be a method/],
    ['', /must be a method/],
    ['GET //orders', /empty segment/],
    ['GET /orders/', /empty segment/],
    ['GET /a/../b', /resolve '\.\.' away/],
    ['GET /{id}/x/{id}', /\{id\} is there twice/],
    ['GET /{id}.json', /stands alone/],
    ['GET /{}', /stands alone/],
    ['GET /{id', /stands alone/],
    ['GET /{id}:', /stands alone/],
    ['GET /{a}{b}', /stands alone/],
    ['GET /café', /percent-encode them: 'caf%C3%A9'/],
    ['GET /a b', /percent-encode/],
    ['GET /a?b=1', /percent-encode/],
    ['GET /a#b', /percent-encode/],
    ['GET /%zz', /percent-encode/],
  ]

  for (const [route, message] of cases) {
    assert.throws(
      () => parseRoute('x', route),
      (error) => error instanceof ContractError && message.test(error.message),
      route,
    )
  }
})

test('any text is read or refused, never more', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((path) => `GET /${path}`),
      ),
      (text) => {
        try {
          const { method, segments } = parseRoute('x', text)
          assert.ok(httpMethods.includes(method))
          assert.ok(segments.every((segment) => 'field' in segment || segment.literal !== ''))
        } catch (error) {
          assert.ok(error instanceof ContractError)
        }
      },
    ),
    { numRuns: runs },
  )
})

const between = (one: string, other: string) => conflict(parseRoute('x', one), parseRoute('x', other))

test('two routes for the same requests are duplicates', () => {
  assert.equal(between('GET /orders/{id}', 'GET /orders/{key}'), 'duplicate')
  assert.equal(between('GET /orders', 'GET /orders'), 'duplicate')
  assert.equal(between('POST /{id}:cancel', 'POST /{key}:cancel'), 'duplicate')
})

test('the more specific of two routes wins', () => {
  for (const [one, other] of [
    ['GET /orders/{id}', 'GET /orders/latest'],
    ['POST /orders/{id}:cancel', 'POST /orders/{id}'],
    ['POST /orders/{id}:cancel', 'POST /orders/{id}:ship'],
    ['POST /orders/{id}:cancel', 'POST /orders/all:cancel'],
    ['POST /orders/{id}:cancel', 'POST /orders/all'],
    ['GET /orders/{id}', 'POST /orders/{id}'],
    ['GET /orders/{id}', 'GET /orders/{id}/lines'],
    ['GET /a/{x}/c', 'GET /a/b/c'],
    ['GET /orders:watch', 'GET /orders'],
  ] as const) {
    assert.equal(between(one, other), undefined, `${one} and ${other}`)
    assert.equal(between(other, one), undefined, `${other} and ${one}`)
  }
})

test('two routes of which neither is the more specific are ambiguous', () => {
  assert.equal(between('GET /a/{x}', 'GET /{y}/b'), 'ambiguous')
  assert.equal(between('GET /{x}/b/{z}', 'GET /a/{y}/{z}'), 'ambiguous')
  assert.equal(between('GET /{x}/b', 'GET /a/{y}:go'), undefined)
})
