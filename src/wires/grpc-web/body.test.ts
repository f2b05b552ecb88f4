/** What is in a body of gRPC-Web: trailers as the last message, and base64. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { BodySink } from '../../http/exchange.ts'
import { HttpHeaders } from '../../http/headers.ts'
import { runs } from '../../../test/support/fuzz.ts'
import { type BrokenFraming, MessageSplitter } from '../grpc-family/framing.ts'
import { isText, webFormat } from './content-type.ts'
import { TextBody, textOf } from './text-body.ts'
import { parseTrailers, trailerFlag, trailerMessage } from './trailers.ts'

test('the content type says the format, and whether the body is text', () => {
  const formats = {
    'application/grpc-web': 'proto',
    'application/grpc-web+proto': 'proto',
    'application/grpc-web+json': 'json',
    'Application/gRPC-Web-Text; charset=utf-8': 'proto',
    'application/grpc-web-text+json': 'json',
    'application/grpc-web+thrift': 'unknown',
    'application/grpc': undefined,
    'application/grpc-websocket': undefined,
    'application/json': undefined,
  }
  for (const [type, format] of Object.entries(formats)) assert.equal(webFormat(type), format, type)
  assert.equal(isText('application/grpc-web-text+proto'), true)
  assert.equal(isText('application/grpc-web+proto'), false)
})

test('trailers are a message with the highest bit set, one field a line', () => {
  const message = trailerMessage(new HttpHeaders(['grpc-status', '0', 'x-tail', 'one']))
  assert.equal(message[0], trailerFlag)
  assert.equal(message.readUInt32BE(1), message.length - 5)
  assert.equal(message.toString('latin1', 5), 'grpc-status: 0\r\nx-tail: one\r\n')
  assert.deepEqual(parseTrailers(message.subarray(5))?.list, ['grpc-status', '0', 'x-tail', 'one'])
})

test('trailers of foreign servers are read in any case, without spaces, with LF alone', () => {
  const block = Buffer.from('Grpc-Status:0\nGRPC-MESSAGE:  a b \r\n\r\n')
  assert.deepEqual(parseTrailers(block)?.list, ['grpc-status', '0', 'grpc-message', 'a b'])
  for (const wrong of ['no colon', ': no name', 'a b: 1', 'a: \u0001']) {
    assert.equal(parseTrailers(Buffer.from(wrong)), undefined, wrong)
  }
  assert.equal(parseTrailers(Buffer.from('a: 1\n'.repeat(2_000))), undefined)
})

test('whatever is read as trailers, nothing is thrown', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      parseTrailers(Buffer.from(bytes))
    }),
    { numRuns: runs(500) },
  )
})

/** What a splitter tells of chunks. */
function told(chunks: readonly Buffer[], limit = 1000): unknown[] {
  const heard: unknown[] = []
  const splitter = new MessageSplitter(
    limit,
    {
      message: (bytes, start, end, compressed) =>
        heard.push([bytes.toString('latin1', start, end), compressed]),
      last: (bytes, start, end, compressed) =>
        heard.push(['last', bytes.toString('latin1', start, end), compressed]),
      broken: (why: BrokenFraming) => heard.push(why.kind),
    },
    undefined,
    trailerFlag,
  )
  for (const chunk of chunks) splitter.push(chunk, 0, chunk.length)
  splitter.finish()
  return heard
}

const framed = (flag: number, text: string) => {
  const prefix = Buffer.from([flag, 0, 0, 0, text.length])
  return Buffer.concat([prefix, Buffer.from(text)])
}

test('the last message is told as such, wherever the bytes are cut, and nothing may follow it', () => {
  const body = Buffer.concat([framed(0, 'one'), framed(1, ''), framed(0x81, 'grpc-status: 0')])
  const whole = [
    ['one', false],
    ['', true],
    ['last', 'grpc-status: 0', true],
  ]
  assert.deepEqual(told([body]), whole)
  for (let at = 0; at <= body.length; at++) {
    assert.deepEqual(told([body.subarray(0, at), body.subarray(at)]), whole)
  }
  assert.deepEqual(told(Array.from(body, (byte) => Buffer.of(byte))), whole)

  assert.deepEqual(told([framed(0x80, 'a'), framed(0, 'b')]), [['last', 'a', false], 'behind the end'])
  assert.deepEqual(told([framed(0x80, 'a'), framed(0x80, 'b')]), [['last', 'a', false], 'behind the end'])
  assert.deepEqual(told([framed(0x02, '')]), ['flag'])
  assert.deepEqual(told([framed(0x80, 'abc').subarray(0, 6)]), ['truncated'])
  assert.deepEqual(told([framed(0x80, 'x'.repeat(20))], 10), ['too large'])
})

/** The bytes of a body in base64, and why it broke off. */
function decoded(chunks: readonly Buffer[]): { text: string; why: string | undefined; ended: boolean } {
  const result = { text: '', why: undefined as string | undefined, ended: false }
  const sink: BodySink = {
    data: (bytes, start, end) => (result.text += bytes.toString('latin1', start, end)),
    end: () => (result.ended = true),
    abort: ({ reason }) => (result.why = reason),
  }
  const body = new TextBody(sink)
  for (const chunk of chunks) body.data(chunk, 0, chunk.length)
  body.end(undefined)
  return result
}

test('pieces of base64 with their padding are the same bytes, wherever they are cut', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), fc.array(fc.nat(200)), (pieces, cuts) => {
      const text = Buffer.concat(pieces.map((piece) => textOf(Buffer.from(piece))))
      const borders = [0, ...cuts.filter((cut) => cut < text.length).sort((a, b) => a - b), text.length]
      const chunks = borders.slice(1).map((end, index) => text.subarray(borders[index], end))
      const whole = Buffer.concat(pieces).toString('latin1')
      assert.deepEqual(decoded(chunks), { text: whole, why: undefined, ended: true })
    }),
    { numRuns: runs(200) },
  )
})

test('what is no base64 breaks the body off, and what came before counts', () => {
  assert.deepEqual(decoded([Buffer.from('AAAA*AAA')]), { text: '\0\0\0', why: 'protocol', ended: false })
  assert.equal(decoded([Buffer.from('A===')]).why, 'protocol')
  assert.equal(decoded([Buffer.from('A')]).why, 'protocol')
  assert.deepEqual(decoded([Buffer.from('YWI')]), { text: 'ab', why: undefined, ended: true })
  assert.equal(decoded([Buffer.alloc(300_000, 'A')]).text.length, 225_000)
})
