import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { Invalid } from '../../schema/invalid.ts'
import { parse, type Tree } from './parse.ts'

const runs = Number(process.env['TRUNKLINE_FUZZ_RUNS'] ?? 1)

function parseText(text: string, depth = 100): Tree {
  const bytes = Buffer.from(text)
  return parse(bytes, 0, bytes.length, depth)
}

/** `JSON.parse` with the differences that are ours on purpose undone. */
function sameAsBuiltIn(bytes: Buffer): void {
  let expected: unknown
  let accepted = false
  try {
    expected = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
    accepted = !hasInfinity(expected)
  } catch {}

  if (accepted) {
    assert.deepEqual(withoutBigints(parse(bytes, 0, bytes.length, 1e6)), expected)
  } else {
    assert.throws(() => parse(bytes, 0, bytes.length, 1e6), Invalid)
  }
}

function hasInfinity(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value)
  return typeof value === 'object' && value !== null && Object.values(value).some(hasInfinity)
}

function withoutBigints(tree: Tree): unknown {
  if (typeof tree === 'bigint') return Number(tree)
  if (typeof tree !== 'object' || tree === null) return tree
  if (Array.isArray(tree)) return tree.map(withoutBigints)
  return Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, withoutBigints(value)]))
}

const grown = fc.json({ maxDepth: 5, stringUnit: 'binary' })
const spaced = grown.map((text) => JSON.stringify(JSON.parse(text), null, '\t \n'))

test('any JSON text is what JSON.parse says it is', () => {
  fc.assert(
    fc.property(fc.oneof(grown, spaced), (text) => sameAsBuiltIn(Buffer.from(text))),
    { numRuns: 300 * runs },
  )
})

test('any mutated text has the verdict of JSON.parse', () => {
  const interesting = fc.constantFrom(...Buffer.from('{}[]",:\\u0019eE+-.tfn \t\n/\0\x1f\x7f\x80\xc3\xef'))
  const mutation = fc.record({ at: fc.nat(), byte: fc.oneof(interesting, fc.nat(255)), insert: fc.boolean() })
  fc.assert(
    fc.property(grown, fc.array(mutation, { minLength: 1, maxLength: 3 }), (text, mutations) => {
      let bytes = Buffer.from(text)
      for (const { at, byte, insert } of mutations) {
        const position = at % (bytes.length + 1)
        const after = bytes.subarray(insert ? position : position + 1)
        bytes = Buffer.concat([bytes.subarray(0, position), Buffer.from([byte]), after])
      }
      sameAsBuiltIn(bytes)
    }),
    { numRuns: 1500 * runs },
  )
})

test('text cut at every byte is refused, or was complete', () => {
  const text = '{"a":[1,-2.50e+3,true,null,"é\\n\\u00e9 \u{1f600}",{"b":{}}],"__proto__":[false,[]]} '
  const bytes = Buffer.from(text)
  for (let end = 0; end <= bytes.length; end++) sameAsBuiltIn(bytes.subarray(0, end))
})

const verdicts = [
  ['01', '-01', '+1', '.5', '1.', '1e', '1e+', '0x10', '- 1', '--1', 'NaN', 'Infinity', '-Infinity', '1_000'],
  ['0', '-0', '1.0', '1E5', '1e-5', '1.25e+2', '123456789012345', '0.1', '1e308', '5e-324', '2.5e-400'],
  ['"\u0000"', '"\n"', '"\\x41"', '"\\u12"', '"\\u12g4"', '"', '"\\"', "'a'", '"\\ud800"', '"\\u0000"'],
  ['[1,]', '[,1]', '[1 2]', '{"a":1,}', '{a:1}', '{"a" 1}', '{"a":}', '{,}', '[', '{', ']', '[1]]', '1 2'],
  ['tru', 'True', 'nul', 'nulll', 'falsey', '', ' ', '\u00a01', '\ufeff1', '/**/1', '{"a":1,"a":2}'],
].flat()

test('the corners of the grammar are where JSON.parse has them', () => {
  for (const text of verdicts) sameAsBuiltIn(Buffer.from(text))
})

test('an integer beyond 2^53 stays exact', () => {
  assert.equal(parseText('9007199254740993'), 9007199254740993n)
  assert.equal(parseText('-9007199254740993'), -9007199254740993n)
  assert.equal(parseText('9007199254740991'), 9007199254740991)
  assert.equal(parseText('1e20'), 1e20)
  assert.equal(parseText('9'.repeat(60)), 1e60)
})

test('a message names the byte and what was expected there', () => {
  const message = (text: string): string => {
    try {
      parseText(text)
    } catch (error) {
      return (error as Invalid).issues[0]!.message
    }
    return ''
  }
  assert.equal(message('{"a":tru}'), 'not valid JSON at byte 8: expected "true", got "}"')
  assert.equal(message('{"é":1,]'), 'not valid JSON at byte 8: expected a key in double quotes, got "]"')
  assert.equal(message('[1'), 'not valid JSON at byte 2: expected "," or "]", got the end of the text')
  assert.equal(message('[1] x'), 'not valid JSON at byte 4: expected the end of the text, got "x"')
  assert.equal(message('\ufeff{}'), 'not valid JSON at byte 0: a byte order mark is not allowed in JSON')
  assert.equal(message('1e999'), 'not valid JSON at byte 0: a number is too large for a double')
})

test('offsets count from the start of the range, and what is around it is not read', () => {
  const bytes = Buffer.from('xx[1]yy')
  assert.deepEqual(parse(bytes, 2, 5, 100), [1])
  assert.throws(() => parse(bytes, 2, 6, 100), /byte 3: expected the end of the text, got "y"/)
  assert.throws(() => parse(bytes, 2, 4, 100), /byte 2: expected "," or "]", got the end of the text/)
})

test('nesting stops at the limit', () => {
  const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)
  assert.doesNotThrow(() => parseText(nested(100)))
  assert.throws(() => parseText(nested(101)), /byte 100: nested deeper than 100 levels/)
  assert.throws(() => parseText('{"a":'.repeat(1_000_000)), /nested deeper than 100 levels/)
})

test('keys of Object.prototype are keys like others', () => {
  const tree = parseText('{"__proto__":{"polluted":1},"constructor":2,"__proto__":3}') as Record<
    string,
    unknown
  >
  assert.deepEqual(Object.entries(tree), [
    ['__proto__', 3],
    ['constructor', 2],
  ])
  assert.equal(Object.getPrototypeOf(tree), Object.prototype)
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
})
