import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { alternativeNames } from './peer-certificate.ts'

test('alternative names are taken apart', () => {
  assert.deepEqual(alternativeNames('DNS:a.example, IP Address:127.0.0.1, URI:spiffe://acme.org/x'), [
    'DNS:a.example',
    'IP Address:127.0.0.1',
    'URI:spiffe://acme.org/x',
  ])
  assert.deepEqual(alternativeNames(''), [])
})

test('a name with commas in it cannot pass for several', () => {
  assert.deepEqual(alternativeNames('DNS:"a.example, DNS:admin, b", DNS:c.example'), [
    'DNS:a.example, DNS:admin, b',
    'DNS:c.example',
  ])
  assert.deepEqual(alternativeNames(String.raw`URI:"spiffe://a/\"b, URI:spiffe://acme.org/admin"`), [
    'URI:spiffe://a/"b, URI:spiffe://acme.org/admin',
  ])
  // What Node would never write names nobody.
  assert.deepEqual(alternativeNames('DNS:a, DNS:"b, DNS:c'), [])
})

test('whatever stands in a quoted name, it stays one name', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.deepEqual(alternativeNames(`DNS:${JSON.stringify(text)}, DNS:x`), [`DNS:${text}`, 'DNS:x'])
    }),
  )
})
