import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { Metadata, isMetadataName } from './metadata.ts'

test('names are case-insensitive, and a repeated name keeps all its values in order', () => {
  const metadata = new Metadata({ 'X-Tenant': 'acme' })
  metadata.append('x-tenant', 'other').set('x-b', '1')
  assert.equal(metadata.get('X-TENANT'), 'other')
  assert.deepEqual(metadata.getAll('x-Tenant'), ['acme', 'other'])
  assert.deepEqual(
    [...metadata],
    [
      ['x-tenant', 'acme'],
      ['x-tenant', 'other'],
      ['x-b', '1'],
    ],
  )
  assert.equal(metadata.delete('X-tenant'), true)
  assert.equal(metadata.delete('x-tenant'), false)
  assert.equal(metadata.size, 1)
})

test('a name in -bin has bytes, every other name has text', () => {
  const metadata = new Metadata({ 'x-raw-bin': Uint8Array.of(1, 2) })
  assert.deepEqual(metadata.get('x-raw-bin'), Uint8Array.of(1, 2))
  assert.equal(metadata.text('x-raw-bin'), undefined)
  assert.throws(() => new Metadata({ 'x-raw-bin': 'text' }), /"x-raw-bin": a name in -bin has a Uint8Array/)
  assert.throws(() => new Metadata({ 'x-raw': Uint8Array.of(1) }), /give it a name that ends in "-bin"/)
})

test('a copy does not change with its original', () => {
  const original = new Metadata([['a', '1']])
  const copy = new Metadata(original)
  original.set('a', '2')
  assert.equal(copy.get('a'), '1')
})

test('what some wire could not carry is refused with the reason', () => {
  assert.throws(() => new Metadata({ grüße: 'x' }), /metadata name "grüße": use letters/)
  assert.throws(() => new Metadata({ '': 'x' }), /at least one/)
  assert.throws(() => new Metadata({ 'Content-Length': '3' }), /belongs to the wire itself/)
  assert.throws(() => new Metadata({ 'grpc-timeout': '3S' }), /belongs to the wire itself/)
  assert.throws(() => new Metadata({ a: 'é' }), /only printable ASCII/)
  assert.throws(() => new Metadata({ a: 'x\r\ninjected: y' }), /only printable ASCII/)
  assert.throws(() => new Metadata({ a: ' x' }), /without space at either end/)
})

test('any accepted text has nothing that could end a header', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (value) => {
      try {
        assert.equal(new Metadata({ a: value }).get('a'), value)
      } catch (error) {
        if (!(error instanceof TypeError)) throw error
        return
      }
      assert.doesNotMatch(value, /[^\x20-\x7e]/)
    }),
  )
})

test('headers that say how a message travels are no metadata', () => {
  for (const name of ['content-type', 'grpc-status', 'host', 'te', ':path', 'trunkline-timeout', 'X']) {
    assert.equal(isMetadataName(name), false, name)
  }
  for (const name of ['authorization', 'traceparent', 'x-a', 'x-a-bin'])
    assert.equal(isMetadataName(name), true, name)
})
