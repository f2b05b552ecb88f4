/** What travels in header fields: content types, time-outs, metadata, messages. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { runs } from '../../../test/support/fuzz.ts'
import { Metadata } from '../../call/metadata.ts'
import { MalformedBinary, readMetadata, writeMetadata } from './call-metadata.ts'
import { accepts, compressionNamed } from './compression.ts'
import { messageFormat } from './content-type.ts'
import { decodeStatusMessage, encodeStatusMessage } from './status-message.ts'
import { formatTimeout, parseTimeout } from './timeout.ts'

test('content types of gRPC, and those that only look like it', () => {
  const formats = {
    'application/grpc': 'proto',
    'application/grpc+proto': 'proto',
    'application/grpc; charset=utf-8': 'proto',
    'application/grpc+proto;v=1': 'proto',
    'Application/GRPC+Proto': 'proto',
    'application/grpc+json': 'json',
    'application/grpc+thrift': 'unknown',
    'application/grpc+': 'unknown',
    'application/grpc-web': undefined,
    'application/grpc-web+proto': undefined,
    'application/grpcx': undefined,
    'application/json': undefined,
    '': undefined,
  }
  for (const [type, format] of Object.entries(formats)) assert.equal(messageFormat(type), format, type)
  assert.equal(messageFormat(undefined), undefined)
})

test('time-outs in every unit', () => {
  const times = {
    '1H': 3_600_000,
    '2M': 120_000,
    '3S': 3_000,
    '4m': 4,
    '5u': 0.005,
    '6n': 0.000006,
    '0m': 0,
    '99999999S': 99_999_999_000,
  }
  for (const [text, milliseconds] of Object.entries(times))
    assert.equal(parseTimeout(text), milliseconds, text)
})

test('what is no time-out is told by NaN', () => {
  for (const text of [
    '',
    'm',
    '1',
    '1s',
    '1h',
    '-1m',
    '+1m',
    '1.5S',
    ' 1m',
    '1m ',
    '123456789m',
    '1mm',
    '１m',
    '0x1m',
    '1e3m',
  ]) {
    assert.ok(Number.isNaN(parseTimeout(text)), text)
  }
})

test('a time-out that is written is never shorter than what is left, and hardly longer', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.001, max: 3e12, noNaN: true }), (milliseconds) => {
      const text = formatTimeout(milliseconds)
      assert.match(text, /^\d{1,8}[mSM]$/)
      const read = parseTimeout(text)
      assert.ok(read >= milliseconds && read <= milliseconds + Math.max(1, milliseconds / 1_000))
    }),
    { numRuns: runs(500) },
  )
  assert.equal(formatTimeout(Number.MAX_VALUE), '99999999M')
})

test('messages for people are percent-encoded UTF-8', () => {
  assert.equal(encodeStatusMessage('no such order'), 'no such order')
  assert.equal(encodeStatusMessage('100 % café'), '100 %25 caf%C3%A9')
  assert.equal(encodeStatusMessage(' \t\n '), '%20%09%0A%20')
  assert.equal(encodeStatusMessage(''), '')
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const encoded = encodeStatusMessage(text)
      assert.match(encoded, /^(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?$/)
      assert.equal(decodeStatusMessage(encoded), text.toWellFormed())
    }),
    { numRuns: runs(500) },
  )
})

test('a message that is not encoded well is shown as far as it goes', () => {
  assert.equal(decodeStatusMessage('100 % sure, 5%2'), '100 % sure, 5%2')
  assert.equal(decodeStatusMessage('%c3%A9 %zz %'), 'é %zz %')
  assert.equal(decodeStatusMessage('%ff'), '\ufffd')
  assert.equal(decodeStatusMessage('already é'), 'already é')
  fc.assert(
    fc.property(fc.string(), (text) => {
      decodeStatusMessage(text)
    }),
  )
})

test('binary metadata is base64 with and without padding, one or several in a field', () => {
  const read = (value: string) => readMetadata(['x-b-bin', value])?.getAll('x-b-bin')
  assert.deepEqual(read('AQI='), [Uint8Array.of(1, 2)])
  assert.deepEqual(read('AQI'), [Uint8Array.of(1, 2)])
  assert.deepEqual(read('_-8'), [Uint8Array.of(255, 239)])
  assert.deepEqual(read(''), [new Uint8Array()])
  assert.deepEqual(read('AQ==, Ag,Aw=='), [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)])
  for (const bad of ['A', 'AQ=', '*', 'AQ== x', 'AQ,,*']) assert.throws(() => read(bad), MalformedBinary, bad)
})

test('metadata comes back as it was, apart from what is the wire’s own', () => {
  const name = fc.stringMatching(/^x-[a-z0-9_.-]{0,8}[a-z]$/).filter((each) => !each.endsWith('-bin'))
  const entry = fc.oneof(
    fc.tuple(name, fc.stringMatching(/^[\x21-\x7e]([\x20-\x7e]{0,8}[\x21-\x7e])?$/)),
    fc.tuple(
      name.map((each) => `${each}-bin`),
      fc.uint8Array({ maxLength: 20 }),
    ),
  )
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 8 }), (entries) => {
      const list: string[] = []
      writeMetadata(list, new Metadata(entries))
      const read = readMetadata(['content-type', 'application/grpc', 'grpc-timeout', '1S', ...list])
      const plain = (pairs: Iterable<readonly [string, unknown]>) =>
        [...pairs].map(([key, value]) => [key, value instanceof Uint8Array ? [...value] : value])
      assert.deepEqual(plain(read ?? []), plain(entries))
    }),
    { numRuns: runs(300) },
  )
})

test('reserved names, and values that no field can carry, are not sent', () => {
  const metadata = new Metadata()
  metadata.received('grpc-status', '0')
  metadata.received('content-type', 'text/html')
  metadata.received(':path', '/')
  metadata.received('x-split', 'a\r\nb: c')
  metadata.received('x-space', ' a')
  metadata.received('x-fine', 'a b')
  const list: string[] = []
  writeMetadata(list, metadata)
  assert.deepEqual(list, ['x-fine', 'a b'])
})

test('codings are known by their names', () => {
  assert.equal(compressionNamed(undefined), 'identity')
  assert.equal(compressionNamed('gzip'), 'gzip')
  assert.equal(compressionNamed('snappy'), undefined)
  assert.equal(accepts('identity, deflate,gzip', 'gzip'), true)
  assert.equal(accepts('identity,xgzip', 'gzip'), false)
  assert.equal(accepts(undefined, 'gzip'), false)
})
