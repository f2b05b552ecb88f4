/** What Connect's parsers take, and what they do with everything else. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { CallError } from '../../call/error.ts'
import { Metadata } from '../../call/metadata.ts'
import { runs } from '../../../test/support/fuzz.ts'
import { connectType } from './content-type.ts'
import { endJson, errorJson, lenientMetadata, parseEnd, readError } from './error-json.ts'
import { formatQuery, parseQuery } from './query.ts'
import { formatTimeout, parseTimeout } from './timeout.ts'

test('the content type says unary or stream, and the format', () => {
  const types = {
    'application/json': ['unary', 'json'],
    'application/proto': ['unary', 'proto'],
    'Application/JSON; charset=UTF-8': ['unary', 'json'],
    'application/connect+json': ['stream', 'json'],
    'application/connect+proto; a=b': ['stream', 'proto'],
    'application/connect+thrift': ['stream', 'unknown'],
    'application/json; charset=latin1': undefined,
    'application/jsonx': undefined,
    'application/grpc+proto': undefined,
    constructor: undefined,
  }
  for (const [text, expected] of Object.entries(types)) {
    const type = connectType(text)
    assert.deepEqual(type && [type.kind, type.format], expected, text)
  }
})

test('a time-out is up to ten digits', () => {
  assert.equal(parseTimeout('0'), 0)
  assert.equal(parseTimeout('9999999999'), 9_999_999_999)
  for (const wrong of ['', '-1', '1.5', '1s', '12345678901', ' 1', '0x1']) {
    assert.ok(Number.isNaN(parseTimeout(wrong)), wrong)
  }
  assert.equal(formatTimeout(0.2), '1')
  assert.equal(formatTimeout(Number.MAX_VALUE), '9999999999')
})

test('a call in a query: percent-encoded, in base64 of either alphabet, in any order', () => {
  const plain = parseQuery('message=%7B%22n%22%3A1%7D+&encoding=json&connect=v1')
  assert.deepEqual([plain.message?.toString(), plain.encoding, plain.connect], ['{"n":1} ', 'json', 'v1'])
  const bytes = Buffer.from([0xfb, 0xff, 0xfe])
  for (const text of ['-__-', '%2B%2F%2F%2B', '-__-&message=ignored']) {
    assert.deepEqual(parseQuery(`base64=1&message=${text}`).message, bytes)
  }
  assert.equal(parseQuery('base64=1&message=AAA').message?.length, 2)
  assert.equal(parseQuery('base64=1&message=A*').message, 'malformed')
  assert.equal(parseQuery('message=%4').message, 'malformed')
  assert.equal(parseQuery('').message, undefined)
  assert.equal(parseQuery('message=').message?.length, 0)
})

test('whatever is in a query, it is taken apart; what we write is read again', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii' }), (text) => {
      parseQuery(text)
    }),
    { numRuns: runs(500) },
  )
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      assert.deepEqual(parseQuery(formatQuery('proto', Buffer.from(bytes))).message, Buffer.from(bytes))
    }),
    { numRuns: runs(200) },
  )
})

test('an error as JSON has code, message and details in base64, and comes back', () => {
  const details = [{ type: 'type.googleapis.com/acme.Why', value: Uint8Array.of(1, 2, 250) }]
  const error = new CallError('aborted', 'zu viel ☺', { details, retryAfter: 1_500 })
  const json = errorJson(error, undefined)
  assert.equal(json.code, 'aborted')
  assert.deepEqual(json.details?.[1], { type: 'acme.Why', value: 'AQL6' })

  const read = readError(JSON.parse(JSON.stringify(json)), 'unknown', new Metadata(), undefined)
  assert.deepEqual([read.code, read.message, read.retryAfter], ['aborted', 'zu viel ☺', 1_500])
  assert.deepEqual(read.details, details)
})

test('of a foreign error, what cannot be understood is passed over', () => {
  const read = (json: unknown) => readError(json, 'unavailable', new Metadata(), undefined)
  assert.equal(read({}).code, 'unavailable')
  assert.equal(read({ code: 'constructor' }).code, 'unavailable')
  assert.equal(read({ code: 'not_found', message: 7 }).message, '')
  assert.equal(read({ code: 'not_found', message: 'x'.repeat(100_000) }).message.length, 16 * 1024)
  const details = [null, 1, {}, { type: 'a', value: '*' }, { type: 'acme.A', value: 'AQ' }]
  assert.deepEqual(read({ details }).details, [
    { type: 'type.googleapis.com/acme.A', value: Uint8Array.of(1) },
  ])
})

test('the end of a stream: metadata with repeated names, an error, or nothing', () => {
  assert.equal(endJson(undefined, undefined), '{}')
  const metadata = new Metadata({ 'x-tail': ['one', 'two'], 'x-bin': Uint8Array.of(255) })
  const text = endJson({ code: 'aborted' }, metadata)
  assert.deepEqual(JSON.parse(text), {
    error: { code: 'aborted' },
    metadata: { 'x-tail': ['one', 'two'], 'x-bin': ['/w'] },
  })
  const end = parseEnd(Buffer.from(text))
  assert.deepEqual(end?.fields, ['x-tail', 'one', 'x-tail', 'two', 'x-bin', '/w'])
  assert.deepEqual(parseEnd(Buffer.from('{"error":null,"metadata":null,"more":1}')), {
    error: undefined,
    fields: [],
  })
  for (const wrong of [
    '',
    '[]',
    '1',
    '{',
    '{"error":1}',
    '{"metadata":{"a":"b"}}',
    '{"metadata":{"a":[1]}}',
  ]) {
    assert.equal(parseEnd(Buffer.from(wrong)), undefined, wrong)
  }
})

test('the end of a stream that is cut anywhere is malformed, or what it was', () => {
  const whole = Buffer.from(endJson({ code: 'aborted', message: '☺' }, new Metadata({ 'x-a': 'b' })))
  for (let at = 0; at < whole.length; at++) assert.equal(parseEnd(whole.subarray(0, at)), undefined)
  fc.assert(
    fc.property(fc.json(), (text) => {
      const end = parseEnd(Buffer.from(text))
      if (end?.error !== undefined) readError(end.error, 'unknown', lenientMetadata(end.fields), undefined)
    }),
    { numRuns: runs(300) },
  )
})
