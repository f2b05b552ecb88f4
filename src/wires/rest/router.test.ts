import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import * as fc from 'fast-check'
import { compileRouter } from './router.ts'

const fuzz = Number(process.env.TRUNKLINE_FUZZ_RUNS ?? 1)

const router = compileRouter(
  [
    'GET /orders',
    'POST /orders',
    'GET /orders:watch',
    'POST /orders:watch',
    'GET /orders/{id}',
    'PUT /orders/{id}',
    'POST /orders/{id}:cancel',
    'POST /orders/batch',
    'GET /orders/{id}/lines/{line}',
    'GET /caf%C3%A9/menu',
    'GET /',
    'POST /acme.orders.v1/place',
  ].map((route) => {
    const [method = '', path = ''] = route.split(' ')
    return { method, path, target: route }
  }),
)

function found(method: string, path: string): [string, readonly string[]] | undefined {
  const match = router.find(method, path)
  return match.kind === 'found' ? [match.target, match.parameters] : undefined
}

suite('router', () => {
  test('a path without fields is found as it stands', () => {
    assert.deepEqual(found('GET', '/orders'), ['GET /orders', []])
    assert.deepEqual(found('POST', '/orders'), ['POST /orders', []])
    assert.deepEqual(found('GET', '/orders:watch'), ['GET /orders:watch', []])
    assert.deepEqual(found('POST', '/acme.orders.v1/place'), ['POST /acme.orders.v1/place', []])
    assert.deepEqual(found('GET', '/'), ['GET /', []])
  })

  test('fields are percent-decoded, and %2F stays data', () => {
    assert.deepEqual(found('GET', '/orders/7'), ['GET /orders/{id}', ['7']])
    assert.deepEqual(found('GET', '/orders/a%2Fb%20c'), ['GET /orders/{id}', ['a/b c']])
    assert.deepEqual(found('GET', '/orders/%E2%82%AC/lines/2'), ['GET /orders/{id}/lines/{line}', ['€', '2']])
  })

  test('literals are compared decoded', () => {
    assert.deepEqual(found('GET', '/caf%C3%A9/menu'), ['GET /caf%C3%A9/menu', []])
    assert.deepEqual(found('GET', '/caf%c3%a9/men%75'), ['GET /caf%C3%A9/menu', []])
    assert.deepEqual(found('GET', '/orders%3Awatch'), ['GET /orders:watch', []])
  })

  test('a verb is written with a plain colon; an encoded one is data', () => {
    assert.deepEqual(found('POST', '/orders/7:cancel'), ['POST /orders/{id}:cancel', ['7']])
    assert.deepEqual(found('POST', '/orders/a%3Ab:cancel'), ['POST /orders/{id}:cancel', ['a:b']])
    assert.deepEqual(found('GET', '/orders/7%3Acancel'), ['GET /orders/{id}', ['7:cancel']])
  })

  test('the most specific route that has the method wins', () => {
    assert.deepEqual(found('POST', '/orders/batch'), ['POST /orders/batch', []])
    assert.deepEqual(found('GET', '/orders/batch'), ['GET /orders/{id}', ['batch']])
    assert.deepEqual(found('PUT', '/orders/7:cancel'), ['PUT /orders/{id}', ['7:cancel']])
  })

  test('HEAD is what GET is', () => {
    assert.deepEqual(found('HEAD', '/orders/7'), ['GET /orders/{id}', ['7']])
    assert.deepEqual(found('HEAD', '/orders'), ['GET /orders', []])
  })

  test('a known path with another method tells all that are allowed there', () => {
    const allow = (method: string, path: string) => {
      const match = router.find(method, path)
      return match.kind === 'other_methods' ? match.allow : match.kind
    }

    assert.equal(allow('DELETE', '/orders'), 'GET, HEAD, OPTIONS, POST')
    assert.equal(allow('TRACE', '/orders/7'), 'GET, HEAD, OPTIONS, PUT')
    assert.equal(allow('DELETE', '/orders/batch'), 'GET, HEAD, OPTIONS, POST, PUT')
    assert.equal(allow('PATCH', '/orders/7:cancel'), 'GET, HEAD, OPTIONS, POST, PUT')
    assert.equal(allow('OPTIONS', '/acme.orders.v1/place'), 'OPTIONS, POST')
  })

  test('other paths are unknown, a trailing slash makes another path, and no field is empty', () => {
    for (const path of [
      '/nothing',
      '/orders/',
      '/orders//lines/2',
      '/orders/7/lines',
      '/orders/:cancel/x',
      '//',
    ]) {
      assert.equal(router.find('GET', path).kind, 'unknown', path)
    }
  })

  test('a malformed encoding is told apart from an unknown path', () => {
    for (const segment of ['%', '%2', '%zz', '%C3', '%FF']) {
      assert.deepEqual(router.find('GET', `/orders/${segment}`), { kind: 'malformed', segment })
    }
  })

  test('whatever text is a field arrives as it was', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (text) => {
        fc.pre(text.isWellFormed() && text !== '.' && text !== '..')
        assert.deepEqual(found('PUT', `/orders/${encodeURIComponent(text)}`), ['PUT /orders/{id}', [text]])
        assert.deepEqual(found('POST', `/orders/${encodeURIComponent(text)}:cancel`), [
          'POST /orders/{id}:cancel',
          [text],
        ])
      }),
      { numRuns: 200 * fuzz },
    )
  })

  test('no path makes it throw', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        router.find('GET', `/${text}`)
        router.find('GET', text)
      }),
      { numRuns: 300 * fuzz },
    )
  })
})
