import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'node:test'
import { HpackError } from './failure.ts'
import { decodingRoom, huffmanLength, readHuffman, writeHuffman } from './huffman.ts'
import { canonicalCodes, codeLengths, endOfString } from './huffman-table.ts'

const runs = 500 * Number(process.env.TRUNKLINE_FUZZ_RUNS ?? 1)

function encode(text: string): Buffer {
  const length = huffmanLength(text)
  const out = Buffer.alloc(length)
  assert.equal(writeHuffman(text, out, 0), length)
  return out
}

function decode(bytes: Uint8Array): string {
  const out = Buffer.alloc(decodingRoom(bytes.length))
  return out.latin1Slice(0, readHuffman(bytes, 0, bytes.length, out))
}

/** A string of zeros and ones as octets; it must fill them. */
function bits(text: string): Buffer {
  return Buffer.from(text.match(/.{8}/g)!.map((octet) => Number.parseInt(octet, 2)))
}

test('the Huffman code is complete: every sequence of bits is a code or begins one', () => {
  assert.equal(codeLengths.length, endOfString + 1)
  assert.equal(
    codeLengths.reduce((sum, length) => sum + 2 ** -length, 0),
    1,
  )
})

test('the codes are those of RFC 7541 appendix B', () => {
  const codes = canonicalCodes(codeLengths)
  const some: [symbol: number, code: number, length: number][] = [
    [0, 0x1ff8, 13],
    [1, 0x7fffd8, 23],
    [9, 0xffffea, 24],
    [10, 0x3ffffffc, 30],
    [13, 0x3ffffffd, 30],
    [22, 0x3ffffffe, 30],
    [32, 0x14, 6],
    [48, 0x0, 5],
    [65, 0x21, 6],
    [92, 0x7fff0, 19],
    [97, 0x3, 5],
    [122, 0x7b, 7],
    [127, 0xffffffc, 28],
    [128, 0xfffe6, 20],
    [195, 0x7fff1, 15 + 4],
    [249, 0xffffffe, 28],
    [255, 0x3ffffee, 26],
    [256, 0x3fffffff, 30],
  ]
  for (const [symbol, code, length] of some) {
    assert.deepEqual([symbol, codes[symbol], codeLengths[symbol]], [symbol, code, length])
  }
})

test('every symbol comes back from every place within an octet, before every other', () => {
  // '0' has five bits: one to eight of them move what follows through all eight places.
  for (let symbol = 0; symbol < 256; symbol += 1) {
    for (let before = 0; before < 8; before += 1) {
      const text = '0'.repeat(before) + String.fromCharCode(symbol)
      assert.equal(decode(encode(text)), text)
    }

    for (let next = 0; next < 256; next += 1) {
      const text = String.fromCharCode(symbol, next)
      assert.equal(decode(encode(text)), text)
    }
  }
})

test('one and two octets, all of them: refused, or what the encoder writes for what was read', () => {
  let read = 0
  const octets = new Uint8Array(2)

  for (let length = 1; length <= 2; length += 1) {
    for (let value = 0; value < 256 ** length; value += 1) {
      octets[0] = length === 1 ? value : value >>> 8
      octets[1] = value
      const run = octets.subarray(0, length)

      try {
        assert.deepEqual(encode(decode(run)), Buffer.from(run))
        read += 1
      } catch (error) {
        if (!(error instanceof HpackError)) throw error
      }
    }
  }

  assert.ok(read > 1000)
})

test('padding of 0 to 7 ones ends a string; 8 and more, a zero in it, or EOS are refused', () => {
  assert.equal(decode(Buffer.alloc(0)), '')

  // As many of '0' (00000) as leave each number of bits, then ones.
  for (let count = 1; count <= 8; count += 1) {
    const zeros = '00000'.repeat(count)
    const rest = (8 - (zeros.length % 8)) % 8
    assert.equal(decode(bits(zeros + '1'.repeat(rest))), '0'.repeat(count))
    assert.throws(() => decode(bits(zeros + '1'.repeat(rest + 8))), /fewer than 8 bits/)
    assert.throws(() => decode(bits(zeros + '1'.repeat(rest + 16))), /fewer than 8 bits/)
    if (rest > 0 && rest < 5) {
      assert.throws(() => decode(bits(zeros + '1'.repeat(rest - 1) + '0')), /fewer than 8 bits/)
    }
    assert.throws(() => decode(bits(zeros + '1'.repeat(rest + 32))), /contains EOS/)
  }

  assert.throws(() => decode(Buffer.from([0xff])), /fewer than 8 bits/)
  assert.throws(() => decode(Buffer.from([0xff, 0xff, 0xff, 0xff])), /contains EOS/)
  assert.throws(() => decode(Buffer.from([0xff, 0xff, 0xff, 0xfc, 0x00])), /contains EOS|fewer than 8 bits/)
})

test('any Latin-1 string comes back, and a changed one is read or refused, never anything else', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (octets, place, change) => {
        const text = Buffer.from(octets).toString('latin1')
        const encoded = encode(text)
        assert.equal(decode(encoded), text)
        if (encoded.length === 0) return

        encoded[place % encoded.length]! ^= change
        try {
          assert.deepEqual(encode(decode(encoded)), encoded)
        } catch (error) {
          assert.ok(error instanceof HpackError)
        }
      },
    ),
    { numRuns: runs },
  )
})
