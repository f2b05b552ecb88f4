import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'node:test'
import { HpackError } from './failure.ts'
import { largestInteger, longestInteger, readInteger, writeInteger } from './integer.ts'

const runs = 500 * Number(process.env.TRUNKLINE_FUZZ_RUNS ?? 1)

function read(octets: number[], mask: number): { value: number; end: number } {
  const cursor = { at: 0 }
  const value = readInteger(Uint8Array.from(octets), cursor, octets.length, mask)
  return { value, end: cursor.at }
}

const examples: [name: string, value: number, mask: number, octets: number[]][] = [
  ['C.1.1: 10 with a 5-bit prefix', 10, 0x1f, [0x0a]],
  ['C.1.2: 1337 with a 5-bit prefix', 1337, 0x1f, [0x1f, 0x9a, 0x0a]],
  ['C.1.3: 42 with an 8-bit prefix', 42, 0xff, [0x2a]],
  ['the largest that fits the prefix', 126, 0x7f, [0x7e]],
  ['the smallest that does not', 127, 0x7f, [0x7f, 0x00]],
  ['the largest of all', largestInteger, 0x0f, [0x0f, 0xf0, 0xff, 0xff, 0xff, 0x07]],
]

for (const [name, value, mask, octets] of examples) {
  test(`integers: RFC 7541 ${name}`, () => {
    const out = new Uint8Array(longestInteger)
    assert.equal(writeInteger(out, 0, 0, mask, value), octets.length)
    assert.deepEqual([...out.subarray(0, octets.length)], octets)
    assert.deepEqual(read(octets, mask), { value, end: octets.length })
  })
}

test('integers: any value comes back with any prefix, and the bits before the prefix are kept', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: largestInteger }),
      fc.integer({ min: 1, max: 8 }),
      (value, bits) => {
        const mask = (1 << bits) - 1
        const out = new Uint8Array(longestInteger)
        const end = writeInteger(out, 0, 0xff & ~mask, mask, value)
        assert.equal(out[0]! & ~mask & 0xff, 0xff & ~mask)
        assert.deepEqual(read([...out.subarray(0, end)], mask), { value, end })
        for (let cut = 0; cut < end; cut += 1) {
          assert.throws(() => read([...out.subarray(0, cut)], mask), HpackError)
        }
      },
    ),
    { numRuns: runs },
  )
})

test('integers: more than 2^31 - 1 is refused', () => {
  assert.throws(() => read([0x0f, 0xf1, 0xff, 0xff, 0xff, 0x07], 0x0f), /larger than 2\^31 - 1/)
  assert.throws(() => read([0x7f, 0xff, 0xff, 0xff, 0xff, 0x7f], 0x7f), /larger than 2\^31 - 1/)
})

test('integers: leading zeros are read up to five further octets, and refused beyond', () => {
  assert.deepEqual(read([0x1f, 0x81, 0x80, 0x80, 0x80, 0x00], 0x1f), { value: 32, end: 6 })
  assert.throws(() => read([0x1f, 0x81, 0x80, 0x80, 0x80, 0x80, 0x00], 0x1f), /more than 6 octets/)
})
