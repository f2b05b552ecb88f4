import assert from 'node:assert/strict'
import { test } from 'node:test'
import { request } from '../../test/support/http2-raw.ts'
import { type DecodedBlock, HpackDecoder } from './hpack/decoder.ts'
import { HpackEncoder } from './hpack/encoder.ts'
import { type RequestHead, type ResponseHead, requestHead, responseHead, trailers } from './message-head.ts'

/** A block as it comes over the wire, so that what HPACK says of its fields is what counts. */
function block(fields: readonly string[]): DecodedBlock {
  const encoder = new HpackEncoder()
  const bytes = Buffer.alloc(encoder.bound(fields))
  const end = encoder.encode(fields, bytes, 0)
  return new HpackDecoder({ tableSize: 4096, maxListSize: 65_536 }).decode(bytes, 0, end)
}

test('a request is method, target, authority and fields', () => {
  const head = requestHead(
    block([...request('/a?b'), 'x-one', '1', 'x-one', '2', 'te', 'trailers']),
  ) as RequestHead
  assert.equal(head.method, 'POST')
  assert.equal(head.target, '/a?b')
  assert.equal(head.authority, 'a')
  assert.deepEqual(head.headers.list, ['x-one', '1', 'x-one', '2', 'te', 'trailers'])
  assert.equal(head.length, -1)
})

test('what a block says is found out once', () => {
  const one = block(request())
  assert.equal(requestHead(one), requestHead(one))
})

test('host stands in for :authority, and may repeat it in other letters', () => {
  const plain = [':method', 'GET', ':scheme', 'http', ':path', '/']
  assert.equal((requestHead(block([...plain, 'host', 'b:1'])) as RequestHead).authority, 'b:1')
  const both = requestHead(block([...request(), 'host', 'A'])) as RequestHead
  assert.equal(both.authority, 'a')
})

test('pieces of a cookie are one', () => {
  const head = requestHead(block([...request(), 'cookie', 'a=1', 'x', 'y', 'cookie', 'b=2'])) as RequestHead
  assert.deepEqual(head.headers.list, ['cookie', 'a=1; b=2', 'x', 'y'])
})

test('CONNECT has an authority and nothing else; OPTIONS may be about everything', () => {
  const connect = requestHead(block([':method', 'CONNECT', ':authority', 'a:443'])) as RequestHead
  assert.equal(connect.target, 'a:443')
  const options = [':method', 'OPTIONS', ':scheme', 'http', ':authority', 'a', ':path', '*']
  assert.equal((requestHead(block(options)) as RequestHead).target, '*')
})

const malformed: [string, string[]][] = [
  ['a pseudo-header field behind others', [...request(), 'x', 'y', ':authority', 'b']],
  ['an unknown pseudo-header field', [...request(), ':protocol', 'websocket']],
  ["an answer's pseudo-header field", [...request(), ':status', '200']],
  ['no :method', [':scheme', 'http', ':path', '/', ':authority', 'a']],
  ['no :scheme', [':method', 'GET', ':path', '/', ':authority', 'a']],
  ['no :path', [':method', 'GET', ':scheme', 'http', ':authority', 'a']],
  ['two of :method', [...request(), ':method', 'GET']],
  ['two of :path', [...request(), ':path', '/']],
  ['an empty :path', [':method', 'GET', ':scheme', 'http', ':path', '', ':authority', 'a']],
  ['a :path that is a URL', [':method', 'GET', ':scheme', 'http', ':path', 'http://a/', ':authority', 'a']],
  ['a :path with a space', [':method', 'GET', ':scheme', 'http', ':path', '/a b', ':authority', 'a']],
  ['* without OPTIONS', [':method', 'GET', ':scheme', 'http', ':path', '*', ':authority', 'a']],
  ['a method that is no token', [':method', 'GE T', ':scheme', 'http', ':path', '/', ':authority', 'a']],
  ['a name in upper case', [...request(), 'X-Y', 'z']],
  ['a line break in a value', [...request(), 'x', 'a\r\nb']],
  ['NUL in a value', [...request(), 'x', 'a\0b']],
  ['a value that begins with a space', [...request(), 'x', ' a']],
  ['an empty name', [...request(), '', 'a']],
  ['connection', [...request(), 'connection', 'close']],
  ['transfer-encoding', [...request(), 'transfer-encoding', 'chunked']],
  ['upgrade', [...request(), 'upgrade', 'h2c']],
  ['keep-alive', [...request(), 'keep-alive', '1']],
  ['proxy-connection', [...request(), 'proxy-connection', 'x']],
  ['te with anything but trailers', [...request(), 'te', 'trailers, gzip']],
  ['another host', [...request(), 'host', 'b']],
  ['two hosts', [':method', 'GET', ':scheme', 'http', ':path', '/', 'host', 'a', 'host', 'b']],
  ['no authority', [':method', 'GET', ':scheme', 'http', ':path', '/']],
  ['user information', [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'u@a']],
  ['CONNECT with a path', [...request(), ':method', 'CONNECT']],
  ['CONNECT without authority', [':method', 'CONNECT']],
  ['a content-length that is none', [...request(), 'content-length', '+1']],
  ['two that differ', [...request(), 'content-length', '1', 'content-length', '2']],
  ['nothing at all', []],
]

for (const [what, fields] of malformed) {
  test(`malformed: a request with ${what}`, () => assert.equal(typeof requestHead(block(fields)), 'string'))
}

test('an answer is a status and fields', () => {
  const head = responseHead(block([':status', '204', 'x', 'y', 'content-length', '7'])) as ResponseHead
  assert.deepEqual([head.status, head.headers.list, head.length], [204, ['x', 'y', 'content-length', '7'], 7])
})

for (const fields of [
  ['x', 'y'],
  [':status', '20'],
  [':status', '0200'],
  ['x', 'y', ':status', '200'],
  [':status', '200', ':status', '200'],
  [':status', '200', 'connection', 'close'],
]) {
  test(`malformed: an answer with ${JSON.stringify(fields)}`, () => {
    assert.equal(typeof responseHead(block(fields)), 'string')
  })
}

test('trailers are fields without pseudo-header fields', () => {
  const read = trailers(block(['grpc-status', '0']))
  assert.ok(typeof read !== 'string')
  assert.deepEqual(read.headers.list, ['grpc-status', '0'])
  assert.equal(typeof trailers(block([':status', '200'])), 'string')
})
