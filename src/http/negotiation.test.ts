// Media types, Accept, content codings, field and authority grammar.
import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { test } from 'node:test'
import zlib from 'node:zlib'
import { negotiateMediaType } from './accept.ts'
import { isAuthority, parseAbsoluteTarget } from './authority.ts'
import { encode, negotiateEncoding, parseContentEncoding } from './content-coding.ts'
import { isFieldValue, lowerName } from './field.ts'
import { isJsonType, parseMediaType } from './media-type.ts'
import { parseWeighted } from './quality.ts'

test('a media type is taken apart', () => {
  const read = (text: string) => {
    const type = parseMediaType(text)
    return type === undefined ? undefined : [type.essence, Object.fromEntries(type.parameters)]
  }
  assert.deepEqual(read('application/json'), ['application/json', {}])
  assert.deepEqual(read(' Text/HTML ; Charset=UTF-8 ;'), ['text/html', { charset: 'UTF-8' }])
  assert.deepEqual(read('a/b;x="1;\\"2\\\\";y=3'), ['a/b', { x: '1;"2\\', y: '3' }])
  assert.deepEqual(read('a/b; x=1; x=2'), ['a/b', { x: '1' }])
  for (const wrong of [
    '',
    'json',
    'a/',
    '/b',
    'a/b/c',
    'a b/c',
    'a/b; x',
    'a/b; x=',
    'a/b; x="y',
    'a/b, c/d',
  ]) {
    assert.equal(read(wrong), undefined, wrong)
  }
})

test('JSON is application/json and every +json', () => {
  assert.ok(isJsonType('application/json') && isJsonType('application/problem+json'))
  assert.ok(!isJsonType('text/json-seq') && !isJsonType('application/x-ndjson'))
})

const offers = ['application/json', 'application/x-ndjson', 'text/event-stream'] as const

for (const [accept, expected] of [
  [undefined, 'application/json'],
  ['', 'application/json'],
  ['*/*', 'application/json'],
  ['*', 'application/json'],
  ['text/event-stream', 'text/event-stream'],
  ['TEXT/Event-Stream', 'text/event-stream'],
  ['text/*', 'text/event-stream'],
  ['text/html', undefined],
  ['text/html, */*;q=0.1', 'application/json'],
  ['application/json;q=0.5, application/x-ndjson', 'application/x-ndjson'],
  ['application/json;q=0, */*', 'application/x-ndjson'],
  ['*/*, application/json;q=0.1', 'application/x-ndjson'],
  ['application/*;q=0.2, text/event-stream;q=0.1', 'application/json'],
  ['application/json; charset=utf-8', 'application/json'],
  ['application/json; version=2', undefined],
  ['application/json;q=1.5', undefined],
  ['nonsense, text/event-stream', 'text/event-stream'],
  ['a/b;x="c,d", text/event-stream;q=0.1', 'text/event-stream'],
] as const) {
  test(`Accept: ${accept ?? '(none)'} → ${expected ?? '406'}`, () => {
    assert.equal(negotiateMediaType(accept, offers), expected)
  })
}

for (const [accept, expected] of [
  [undefined, 'identity'],
  ['', 'identity'],
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['GZIP', 'gzip'],
  ['gzip, br', 'br'],
  ['gzip;q=1, br;q=0.5', 'gzip'],
  ['gzip;q=0', 'identity'],
  ['*', 'zstd'],
  ['*;q=0', undefined],
  ['identity;q=0', undefined],
  ['identity;q=0, gzip', 'gzip'],
  ['identity, gzip;q=0.5', 'identity'],
  ['*;q=0, identity', 'identity'],
  ['compress, sdch', 'identity'],
  ['zstd;q=0, *', 'br'],
] as const) {
  test(`Accept-Encoding: ${accept ?? '(none)'} → ${expected ?? 'nothing acceptable'}`, () => {
    assert.equal(negotiateEncoding(accept), expected)
  })
}

test('Content-Encoding names what is undone, and unknown codings are told apart', () => {
  assert.deepEqual(parseContentEncoding(undefined), [])
  assert.deepEqual(parseContentEncoding('identity'), [])
  assert.deepEqual(parseContentEncoding('gzip, BR'), ['gzip', 'br'])
  assert.equal(parseContentEncoding('compress'), undefined)
  assert.equal(parseContentEncoding('gzip, gzip, gzip'), undefined)
})

for (const [coding, decompress] of [
  ['gzip', zlib.gunzipSync],
  ['deflate', zlib.inflateSync],
  ['br', zlib.brotliDecompressSync],
  ['zstd', zlib.zstdDecompressSync],
] as const) {
  test(`encode makes ${coding} of text and bytes`, async () => {
    for (const body of ['täxt '.repeat(100), Buffer.from('bytes')]) {
      const encoded = await new Promise<Buffer>((resolve, reject) => {
        encode(coding, body, (result, error) =>
          result === undefined ? reject(error as Error) : resolve(result),
        )
      })
      assert.deepEqual(decompress(encoded), Buffer.from(body))
    }
  })
}

test('an authority is host[:port] and nothing else', () => {
  for (const right of [
    'a',
    'example.org',
    'example.org:80',
    '127.0.0.1:1',
    '[::1]',
    '[::1]:80',
    'a:',
    'a_b',
    '%61',
  ]) {
    assert.ok(isAuthority(right), right)
  }
  for (const wrong of [
    '',
    ':80',
    'a b',
    'a@b',
    'a/b',
    'a,b',
    'a:b',
    'a:123456',
    '[',
    '[]',
    '::1',
    'a#',
    'a?',
    'ä',
    '%6',
    'x'.repeat(300),
  ]) {
    assert.ok(!isAuthority(wrong), wrong)
  }
})

test('an absolute target has an authority and a path', () => {
  assert.deepEqual(parseAbsoluteTarget('http://a/b?c'), { authority: 'a', target: '/b?c' })
  assert.deepEqual(parseAbsoluteTarget('HTTPS://a:1'), { authority: 'a:1', target: '/' })
  assert.equal(parseAbsoluteTarget('/a'), undefined)
  assert.equal(parseAbsoluteTarget('http:///a'), undefined)
})

test('field names are tokens, and known by their lower case', () => {
  assert.equal(lowerName('X-Request-ID'), 'x-request-id')
  assert.equal(lowerName('X-Request-ID'), 'x-request-id')
  for (const wrong of ['', 'a b', 'a:', 'ä', 'a\r', 'a\0']) assert.equal(lowerName(wrong), undefined)
  assert.ok(isFieldValue('a\tb \xe4') && !isFieldValue('a\nb') && !isFieldValue('\u0100'))
})

test('fuzz: whatever a list says, it is read in time and never throws', () => {
  const runs = 300 * Number(process.env.TRUNKLINE_FUZZ_RUNS ?? 1)
  const piece = fc.constantFrom(
    'gzip',
    '*',
    '/',
    ';',
    ',',
    'q=',
    '"',
    '\\',
    ' ',
    '0.5',
    '1',
    'a/b',
    '\t',
    'x=',
    '*/*',
  )
  const lists = fc.oneof(
    fc.string(),
    fc.array(piece, { maxLength: 200 }).map((pieces) => pieces.join('')),
  )
  fc.assert(
    fc.property(lists, (text) => {
      for (const { weight } of parseWeighted(text)) assert.ok(weight >= 0 && weight <= 1)
      negotiateMediaType(text, offers)
      negotiateEncoding(text)
      parseMediaType(text)
      parseContentEncoding(text)
      isAuthority(text)
    }),
    { numRuns: runs },
  )
})
