import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HpackDecoder } from './decoder.ts'
import { HpackEncoder, type HpackEncoderSettings } from './encoder.ts'
import { HpackTemplate } from './template.ts'

/** An encoder whose every block is checked by a decoder, and given as hexadecimal octets. */
function encoder(settings?: HpackEncoderSettings) {
  const it = new HpackEncoder(settings)
  const peer = new HpackDecoder({ tableSize: 4096, maxListSize: 1 << 20 })

  const check = (bytes: Buffer, end: number, fields: readonly string[]) => {
    assert.ok(end <= bytes.length)
    assert.deepEqual(peer.decode(bytes, 0, end).fields, fields)
    assert.equal(it.tableSize, peer.tableSize)
    return bytes.toString('hex', 0, end)
  }

  return {
    it,
    peer,
    encode(...fields: string[]) {
      const bytes = Buffer.alloc(it.bound(fields))
      return check(bytes, it.encode(fields, bytes, 0), fields)
    },
    template(template: HpackTemplate) {
      const bytes = Buffer.alloc(template.bound)
      return check(bytes, it.encodeTemplate(template, bytes, 0), template.fields)
    },
  }
}

test('fields of the static table are one octet', () => {
  assert.equal(encoder().encode(':method', 'POST', ':scheme', 'https', ':status', '200'), '838788')
})

test('a field goes into the table when it comes the second time, and is one octet from the third on', () => {
  const { encode } = encoder()
  const hex = Buffer.from('text/x').toString('hex')
  assert.equal(encode('accept', 'text/x'), `0f0406${hex}`)
  assert.equal(encode('accept', 'text/x'), `5306${hex}`)
  assert.equal(encode('accept', 'text/x'), 'be')
})

test('a name without index is put into the table once, so that its unique values refer to it', () => {
  const { it, encode } = encoder()
  encode('traceparent', 'one')
  encode('traceparent', 'two')
  const size = it.tableSize
  assert.equal(size, 11 + 3 + 32)
  for (let i = 0; i < 1000; i += 1) assert.equal(encode('traceparent', `v${i % 10}`).slice(0, 4), '0f2f')
  assert.equal(it.tableSize, size)
})

test('unique metadata never pushes out what comes again', () => {
  const { it, encode } = encoder()
  for (let i = 0; i < 3; i += 1) encode('x-tenant', 'acme')
  const before = it.tableSize
  for (let i = 0; i < 1000; i += 1)
    encode('x-tenant', 'acme', 'x-session', String(i), 'content-length', String(i))
  assert.equal(it.tableSize, before + 'x-session'.length + 1 + 32)
  assert.equal(encode('x-tenant', 'acme').length, 2)
})

test('credentials are literals that are never indexed, also in templates', () => {
  const { it, encode, template } = encoder({ never: ['x-api-key'] })

  for (const name of ['authorization', 'proxy-authorization', 'cookie', 'set-cookie', 'x-api-key']) {
    for (let i = 0; i < 3; i += 1) assert.equal(encode(name, 'secret').slice(0, 1), '1', name)
    const constant = new HpackTemplate([name, 'secret'])
    for (let i = 0; i < 3; i += 1) assert.equal(template(constant).slice(0, 1), '1', name)
  }

  assert.equal(it.tableSize, 0)
})

test('names that are said to be plain are not learned', () => {
  const { it, encode } = encoder({ plain: ['accept'] })
  for (let i = 0; i < 5; i += 1) encode('accept', 'text/x')
  assert.equal(it.tableSize, 0)
})

const call = new HpackTemplate([
  ':method',
  'POST',
  ':scheme',
  'http',
  ':path',
  '/acme.orders.v1.Orders/Place',
  ':authority',
  'orders.internal:7000',
  'content-type',
  'application/grpc+proto',
  'te',
  'trailers',
])

test("a template's fields are inserted with the first block, and one octet each from the second on", () => {
  const { template } = encoder()
  assert.ok(template(call).length > 100)
  assert.equal(template(call), '8386c1c0bfbe')
  assert.equal(template(call), '8386c1c0bfbe')
})

test('a template follows the indices when something else was inserted', () => {
  const { encode, template } = encoder()
  template(call)
  template(call)
  for (let i = 0; i < 2; i += 1) encode('x-tenant', 'acme')
  assert.equal(template(call), '8386c2c1c0bf')
})

test('a template is sent anew after the peer has emptied the table', () => {
  const { it, peer, template } = encoder()
  template(call)
  template(call)
  it.setMaxTableSize(0)
  it.setMaxTableSize(4096)
  peer.setTableSize(0)
  peer.setTableSize(4096)
  assert.equal(template(call).slice(0, 8), '203fe11f')
  assert.equal(template(call), '8386c1c0bfbe')
})

test('one template serves many encoders', () => {
  const [a, b] = [encoder(), encoder()]
  for (let i = 0; i < 2; i += 1) b.encode('x-tenant', 'acme')
  for (let i = 0; i < 2; i += 1) {
    a.template(call)
    b.template(call)
  }

  b.encode('x', '1')
  b.encode('x', '1')
  assert.equal(a.template(call), '8386c1c0bfbe')
  assert.equal(b.template(call), '8386c2c1c0bf')
})

test('more constant fields than the table holds: those that are there stay, and the rest takes turns', () => {
  const { it, template } = encoder()
  const methods = Array.from(
    { length: 200 },
    (_, i) => new HpackTemplate([...call.fields, 'x-method', `method-${i}`]),
  )
  let [octets, blocks] = [0, 0]

  for (let round = 0; round < 10; round += 1) {
    for (const method of methods) {
      octets += template(method).length / 2
      blocks += 1
    }
  }

  assert.ok(it.tableSize <= 4096)
  // The six fields of the call stay indexed; a method of its own takes a literal of 12 octets at most.
  assert.ok(octets / blocks < 22, `${octets / blocks} octets a block`)
})

test('after a change of load the new fields find their places', () => {
  const { template } = encoder()
  const methods = (from: number) =>
    Array.from(
      { length: 60 },
      (_, i) => new HpackTemplate([...call.fields, 'x-method', `method-${from + i}-${'x'.repeat(20)}`]),
    )
  for (let round = 0; round < 5; round += 1) for (const method of methods(0)) template(method)

  const next = methods(100).slice(0, 10)
  for (let round = 0; round < 200; round += 1) for (const method of next) template(method)
  for (const method of next) assert.ok(template(method).length / 2 <= 7 * 2)
})

test('the peer’s table size: the smallest since the last block and the last are said, no larger than our own', () => {
  const { it, peer, encode } = encoder()
  it.setMaxTableSize(100)
  it.setMaxTableSize(1000)
  peer.setTableSize(100)
  peer.setTableSize(1000)
  assert.equal(encode(':method', 'GET'), '3f453fc90782')
  assert.equal(encode(':method', 'GET'), '82')

  it.setMaxTableSize(1 << 20)
  peer.setTableSize(1 << 20)
  assert.equal(encode(':method', 'GET'), '3fe11f82')
})

test('an own table smaller than the 4096 octets at the beginning is said in the first block', () => {
  assert.equal(encoder({ tableSize: 0 }).encode(':method', 'GET'), '2082')
  assert.equal(encoder({ tableSize: 0 }).encode('a', 'b', 'a', 'b', 'a', 'b').slice(0, 2), '20')
})

test('nothing larger than half of the table goes into it', () => {
  const { it, encode } = encoder()
  for (let i = 0; i < 3; i += 1) encode('accept', 'x'.repeat(2100))
  assert.equal(it.tableSize, 0)
})

test('Huffman coding is used where it is shorter, and only where it is asked for', () => {
  const { encode } = encoder({ huffman: true })
  assert.equal(encode(':authority', 'www.example.com'), '018cf1e3c2e5f23a6ba0ab90f4ff')
  assert.equal(encode(':authority', '\x01\x02'), '01020102')
  assert.equal(encoder().encode(':authority', 'www'), '0103777777')
})

test('names without end leave the known ones alone and take no memory', () => {
  const { it, encode } = encoder()
  for (let i = 0; i < 3; i += 1) encode('x-tenant', 'acme')

  for (let i = 0; i < 20_000; i += 1) {
    const fields = [`x-${i}`, 'v', 'x-tenant', 'acme']
    const out = Buffer.alloc(it.bound(fields))
    assert.ok(it.encode(fields, out, 0) < 14)
  }

  assert.ok(it.tableSize <= 4096)
})

test('a part of a block may follow a template', () => {
  const it = new HpackEncoder()
  const peer = new HpackDecoder({ tableSize: 4096, maxListSize: 10_000 })
  it.setMaxTableSize(300)
  peer.setTableSize(300)

  for (let i = 0; i < 10; i += 1) {
    const fields = ['grpc-timeout', `${i}m`, 'authorization', 'Bearer x']
    const out = Buffer.alloc(call.bound + it.bound(fields))
    const end = it.encode(fields, out, it.encodeTemplate(call, out, 0))
    assert.deepEqual(peer.decode(out, 0, end).fields, [...call.fields, ...fields])
  }
})
