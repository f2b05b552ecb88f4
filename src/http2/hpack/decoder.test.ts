import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HpackDecoder, type HpackDecoderSettings } from './decoder.ts'
import { HpackError } from './failure.ts'

function decoder(
  settings: Partial<HpackDecoderSettings> = {},
): (hex: string | Buffer) => ReturnType<HpackDecoder['decode']> {
  const decoder = new HpackDecoder({ tableSize: 4096, maxListSize: 1 << 16, ...settings })
  return Object.assign(
    (hex: string | Buffer) => {
      const bytes = typeof hex === 'string' ? Buffer.from(hex.replaceAll(' ', ''), 'hex') : hex
      return decoder.decode(bytes, 0, bytes.length)
    },
    { decoder },
  )
}

/** A literal with a literal name: `00` without indexing, `40` with, `10` never. */
function literal(pattern: number, name: string, value: string): Buffer {
  const text = (text: string) => {
    const { length } = text
    const rest = length - 0x7f
    const prefix = rest < 0 ? [length] : rest < 0x80 ? [0x7f, rest] : [0x7f, (rest & 0x7f) | 0x80, rest >>> 7]
    return Buffer.concat([Buffer.from(prefix), Buffer.from(text, 'latin1')])
  }

  return Buffer.concat([Buffer.from([pattern]), text(name), text(value)])
}

const malformed: [what: string, hex: string, message: RegExp][] = [
  ['index 0', '80', /index 0 is none/],
  ['an index beyond both tables', 'be', /index 62 is beyond the table/],
  ['a very large index', 'ffffffffff07', /index 2147483\d+ is beyond|larger than/],
  ['the name of an index beyond both tables', '7e0161', /index 62 is beyond/],
  ['an index without its end', 'ff80', /ends within the integer/],
  ['a literal without a name', '40', /where a length is expected/],
  ['a name without its end', '400261', /has 2 octets, of which the block has 1/],
  ['a literal without a value', '400161', /where a length is expected/],
  ['a value without its end', '4001610561', /has 5 octets, of which the block has 1/],
  ['a length without end', '4001617fffffffffffff', /more than 6 octets/],
  ['a size update after a field', '8220', /after a field/],
  ['three size updates', '202020', /more than two/],
  ['a size update beyond the setting', '3fe21f', /4097 is larger than the 4096/],
  ['Huffman padding of a full octet', '00016182 07ff', /fewer than 8 bits/],
  ['EOS in a Huffman-coded name', '0084ffffffff0161', /contains EOS/],
]

for (const [what, hex, message] of malformed) {
  test(`a block with ${what} is refused, with a message that says so`, () => {
    const decode = decoder()
    assert.throws(
      () => decode(hex),
      (error) => {
        assert.ok(error instanceof HpackError)
        assert.equal(error.code, 'COMPRESSION_ERROR')
        assert.match(error.message, message)
        return true
      },
    )
  })
}

test('an empty block is an empty list', () => {
  const block = decoder()('')
  assert.deepEqual([block.fields, block.size, block.tooLarge, block.valid], [[], 0, false, true])
})

test('only the octets between start and end are read', () => {
  const bytes = Buffer.from('ff8284ff', 'hex')
  const { fields } = new HpackDecoder({ tableSize: 4096, maxListSize: 1000 }).decode(bytes, 1, 3)
  assert.deepEqual(fields, [':method', 'GET', ':path', '/'])
})

test('the size of a list counts 32 octets a field (RFC 9113 section 6.5.2)', () => {
  assert.equal(decoder()('82').size, ':method'.length + 'GET'.length + 32)
})

test('a lowered table size must begin the next block (RFC 7541 section 4.2)', () => {
  const lowered = () => {
    const decode = decoder()
    decode(literal(0x40, 'a', 'b'))
    ;(decode as unknown as { decoder: HpackDecoder }).decoder.setTableSize(100)
    return decode
  }

  assert.throws(() => lowered()('82'), /lowered to 100 octets/)
  assert.throws(() => lowered()('be'), /lowered to 100 octets/)
  assert.throws(() => lowered()(''), /lowered to 100 octets/)
  assert.throws(() => lowered()('3f46'), /101 is larger than the 100/)
  assert.deepEqual(lowered()('3f45 be').fields, ['a', 'b'])
  assert.throws(() => lowered()('20 be'), /index 62 is beyond/)
  assert.deepEqual(lowered()('20 3f45 82').fields, [':method', 'GET'])
})

test('a size that was lowered and raised again needs both updates; one that was never exceeded needs none', () => {
  const flapped = () => {
    const it = new HpackDecoder({ tableSize: 4096, maxListSize: 1000 })
    it.setTableSize(0)
    it.setTableSize(4096)
    return (hex: string) => it.decode(Buffer.from(hex, 'hex'), 0, hex.length / 2)
  }

  assert.throws(() => flapped()('3fe11f82'), /lowered to 0 octets/)
  assert.deepEqual(flapped()('203fe11f82').fields, [':method', 'GET'])
  assert.deepEqual(flapped()('2082').fields, [':method', 'GET'])

  const small = new HpackDecoder({ tableSize: 4096, maxListSize: 1000 })
  small.decode(Buffer.from('20', 'hex'), 0, 1)
  small.setTableSize(100)
  assert.deepEqual(small.decode(Buffer.from('82', 'hex'), 0, 1).fields, [':method', 'GET'])
})

test('size updates that go up and down keep the table empty and cost no memory', () => {
  const it = new HpackDecoder({ tableSize: 4096, maxListSize: 1000 })
  const up = Buffer.concat([Buffer.from('3fe11f', 'hex'), literal(0x40, 'name', 'value')])
  const down = Buffer.from('20', 'hex')

  for (let i = 0; i < 2000; i += 1) {
    it.decode(up, 0, up.length)
    assert.equal(it.tableSize, 41)
    it.decode(down, 0, 1)
    assert.equal(it.tableSize, 0)
  }
})

test('a list beyond the bound holds nothing, and the table is kept in step', () => {
  const decode = decoder({ maxListSize: 100 })
  const block = decode(
    Buffer.concat([
      literal(0x00, 'x', 'y'.repeat(60)),
      literal(0x40, 'kept', 'value'),
      literal(0x00, 'z', ''),
    ]),
  )
  assert.deepEqual([block.tooLarge, block.fields], [true, []])
  assert.equal(block.size, 93 + 41 + 33)
  assert.deepEqual(decode('be').fields, ['kept', 'value'])
})

test('a bomb of 16,000 references to a field of 4 KiB takes no memory and is counted', () => {
  const decode = decoder()
  decode(literal(0x40, 'bomb', 'x'.repeat(4000)))
  const block = decode(Buffer.alloc(16_000, 0xbe))
  assert.equal(block.tooLarge, true)
  assert.equal(block.size, 16_000 * 4036)
  assert.equal(block.fields.length, 0)
})

test('a bomb of 16,000 insertions that each name a long name keeps to the size of the table', () => {
  const it = new HpackDecoder({ tableSize: 4096, maxListSize: 1 << 16 })
  const first = literal(0x40, 'n'.repeat(2000), '')
  it.decode(first, 0, first.length)
  const block = it.decode(Buffer.alloc(32_000, Buffer.from([0x7e, 0x00])), 0, 32_000)
  assert.equal(block.tooLarge, true)
  assert.ok(it.tableSize <= 4096)
})

const validity: [what: string, name: string, value: string, valid: boolean][] = [
  ['a name in lower case', 'x-a.b_c~1', 'v', true],
  ['a pseudo-header field', ':path', '/', true],
  ['an empty value', 'a', '', true],
  ['obs-text and a tab within', 'a', 'x\t\xe4\xff', true],
  ['a name in upper case', 'X-a', 'v', false],
  ['an empty name', '', 'v', false],
  ['a colon alone', ':', 'v', false],
  ['a colon within a name', 'a:b', 'v', false],
  ['a space in a name', 'a b', 'v', false],
  ['a name beyond ASCII', 'a\xe4', 'v', false],
  ['NUL', 'a', 'x\0y', false],
  ['LF', 'a', 'x\ny', false],
  ['CR', 'a', 'x\ry', false],
  ['CR in a long value', 'a', `${'x'.repeat(100)}\r${'x'.repeat(100)}`, false],
  ['a space before', 'a', ' x', false],
  ['a tab behind', 'a', 'x\t', false],
]

for (const [what, name, value, valid] of validity) {
  test(`${what} is ${valid ? 'valid' : 'not valid'}, as a literal, from the table and from the memo`, () => {
    const decode = decoder()
    for (let i = 0; i < 3; i += 1) assert.equal(decode(literal(0x00, name, value)).valid, valid)
    assert.equal(decode(literal(0x40, name, value)).valid, valid)
    for (let i = 0; i < 3; i += 1) assert.equal(decode('be').valid, valid)
    assert.equal(decode('8286').valid, true)
  })
}

test('a name that is not valid stays so where only the name is referred to', () => {
  const decode = decoder()
  decode(literal(0x40, 'Bad', 'x'))
  assert.equal(decode('0f2f 0161').valid, false)
  decode(literal(0x40, 'good', 'x\n'))
  assert.equal(decode('0f2f 0161').valid, true)
})

test('a block that comes again gives the same object, with what its owner attached', () => {
  const decode = decoder()
  const first = decode('828684')
  first.attachment = 'route'
  assert.equal(decode('828684'), first)
  assert.equal(decode('828684').attachment, 'route')
  assert.notEqual(decode('828784'), first)
})

test('without memo every block is a list of its own', () => {
  const decode = decoder({ memo: false })
  assert.notEqual(decode('82'), decode('82'))
})

test('an insertion makes remembered blocks void, since indices have moved', () => {
  const decode = decoder()
  decode(literal(0x40, 'a', '1'))
  assert.deepEqual(decode('be').fields, ['a', '1'])
  decode(literal(0x40, 'b', '2'))
  assert.deepEqual(decode('be').fields, ['b', '2'])
  assert.deepEqual(decode('bf').fields, ['a', '1'])
  assert.throws(() => decode('20be'), /index 62/)
})

test('a block that inserts is decoded each time', () => {
  const it = new HpackDecoder({ tableSize: 4096, maxListSize: 1000 })
  const bytes = literal(0x40, 'a', 'b')
  for (let i = 1; i <= 3; i += 1) {
    it.decode(bytes, 0, bytes.length)
    assert.equal(it.tableSize, i * 34)
  }
})

test('blocks, names and values that differ in any one octet are never taken for each other', () => {
  const name = 'n'.repeat(60)
  const value = 'v'.repeat(200)
  const decode = decoder()
  for (let i = 0; i < 4; i += 1) decode(literal(0x00, name, value))

  for (let at = 0; at < value.length; at += 1) {
    const changed = `${value.slice(0, at)}w${value.slice(at + 1)}`
    for (let i = 0; i < 3; i += 1)
      assert.deepEqual(decode(literal(0x00, name, changed)).fields, [name, changed])
    assert.deepEqual(decode(literal(0x00, name, value)).fields, [name, value])
  }

  for (let at = 0; at < name.length; at += 1) {
    const changed = `${name.slice(0, at)}m${name.slice(at + 1)}`
    for (let i = 0; i < 3; i += 1)
      assert.deepEqual(decode(literal(0x00, changed, value)).fields, [changed, value])
  }
})

test('lengths that are in a remembered block are compared too', () => {
  const decode = decoder()
  for (let length = 0; length < 300; length += 1) {
    for (let i = 0; i < 2; i += 1) {
      assert.deepEqual(decode(literal(0x00, 'a', 'x'.repeat(length))).fields, ['a', 'x'.repeat(length)])
    }
  }
})

test('remembered lists stay right while blocks that never come again make the memo rest', () => {
  const decode = decoder()
  const first = decode('828684')

  for (let i = 0; i < 20_000; i += 1) {
    assert.deepEqual(decode(literal(0x00, 'id', String(i))).fields, ['id', String(i)])
    if (i % 1000 === 0) assert.deepEqual(decode('828684').fields, first.fields)
  }

  // It is tried again after a while.
  for (let i = 0; i < 10_000; i += 1) decode('828684')
  assert.equal(decode('828684'), decode('828684'))
})

test('what is decoded does not change when the bytes do', () => {
  const decode = decoder()
  const bytes = literal(0x00, 'name', 'v'.repeat(60))
  for (let i = 0; i < 3; i += 1) decode(bytes)
  const block = decode(bytes)
  bytes.fill(0)
  assert.deepEqual(block.fields, ['name', 'v'.repeat(60)])
  assert.deepEqual(decode(literal(0x00, 'name', 'v'.repeat(60))).fields, ['name', 'v'.repeat(60)])
})

test('a bearer token that comes again is the same string, Huffman-coded or not', () => {
  const decode = decoder({ memo: false })
  const bytes = literal(0x10, 'x-token', 't'.repeat(800))
  decode(bytes)
  const again = decode(bytes).fields[1]
  assert.equal(again, 't'.repeat(800))
  assert.equal(decode(bytes).fields[1], again)
})
