/** google.rpc.Status both ways: our faults, field violations, delays, and details of which nothing is known here. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { AnySchema } from '@bufbuild/protobuf/wkt'
import * as fc from 'fast-check'
import * as z from 'zod'
import { runs } from '../../../test/support/fuzz.ts'
import { CallError } from '../../call/error.ts'
import { Metadata } from '../../call/metadata.ts'
import { call } from '../../contract/call.ts'
import { contract, contractInfo } from '../../contract/contract.ts'
import { fault } from '../../contract/fault.ts'
import type { CallOperation } from '../../contract/operation.ts'
import { HttpHeaders } from '../../http/headers.ts'
import { Invalid } from '../../schema/invalid.ts'
import { faultCodecs } from './fault-codecs.ts'
import { statusCodec } from './rpc-messages.ts'
import { decodeDetails, encodeDetails } from './status-details.ts'
import { codeFromAbort, codeFromHttp, errorTrailers, readStatus, statusNumber } from './status.ts'

const Shared = z.object({ at: z.string() }).meta({ id: 'Shared' })
const Orders = contract('acme.orders.v1', {
  place: call({
    faults: {
      outOfStock: fault('failed_precondition', z.object({ left: z.int32() })),
      closed: fault('failed_precondition'),
      here: fault('aborted', Shared),
      there: fault('aborted', Shared),
    },
  }),
})
const codecs = faultCodecs(contractInfo(Orders).operations.get('place') as CallOperation, 100)

const raised = (name: string, detail?: unknown) => new CallError('aborted', 'x', { fault: { name, detail } })

test('a declared fault comes back by its name, with its detail', () => {
  for (const error of [
    raised('outOfStock', { left: 3 }),
    raised('closed'),
    raised('here', { at: 'a' }),
    raised('there', { at: 'b' }),
  ]) {
    const read = decodeDetails(encodeDetails(error, codecs), codecs)
    assert.deepEqual(read.fault, error.fault)
    assert.deepEqual(read.details, [])
  }
})

test('a fault travels as google.rpc.ErrorInfo and a message that has the fault’s name', () => {
  const { details } = statusCodec.decode(encodeDetails(raised('outOfStock', { left: 3 }), codecs))
  const types = details.map(({ typeUrl }) => typeUrl)
  assert.deepEqual(types, [
    'type.googleapis.com/google.rpc.ErrorInfo',
    'type.googleapis.com/acme.orders.v1.PlaceOutOfStock',
  ])
  assert.match(Buffer.from(details[0]?.value ?? []).toString('latin1'), /OUT_OF_STOCK.*acme\.orders\.v1/)
})

test('a foreign server that sends a declared fault’s detail alone is understood', () => {
  const typeUrl = 'type.googleapis.com/acme.orders.v1.PlaceOutOfStock'
  const bytes = statusCodec.encode({
    code: 9,
    message: '',
    details: [{ typeUrl, value: Uint8Array.of(8, 3) }],
  })
  assert.deepEqual(decodeDetails(bytes, codecs).fault, { name: 'outOfStock', detail: { left: 3 } })

  // Two faults have this detail: which of them it is nobody can say.
  const shared = { typeUrl: 'x/acme.orders.v1.Shared', value: Uint8Array.of(10, 1, 97) }
  const read = decodeDetails(statusCodec.encode({ code: 9, message: '', details: [shared] }), codecs)
  assert.equal(read.fault, undefined)
  assert.deepEqual(read.details, [{ type: shared.typeUrl, value: shared.value }])
})

test('a fault’s detail that does not fit is no fault, and stays with the other details', () => {
  const typeUrl = 'type.googleapis.com/acme.orders.v1.PlaceOutOfStock'
  const value = Uint8Array.of(10, 200)
  const bytes = statusCodec.encode({ code: 9, message: '', details: [{ typeUrl, value }] })
  const read = decodeDetails(bytes, codecs)
  assert.equal(read.fault, undefined)
  assert.deepEqual(read.details, [{ type: typeUrl, value }])
  assert.throws(() => encodeDetails(raised('outOfStock', { left: 'three' }), codecs), Invalid)
})

test('issues are BadRequest, a delay is RetryInfo, and both come back', () => {
  const error = new CallError('invalid_argument', 'wrong', {
    issues: [
      { path: 'lines[0].sku', message: 'expected a string' },
      { path: '', message: 'expected an object' },
    ],
    retryAfter: 12_345.5,
  })
  const bytes = encodeDetails(error, codecs)
  const types = statusCodec.decode(bytes).details.map(({ typeUrl }) => typeUrl)
  assert.deepEqual(types, [
    'type.googleapis.com/google.rpc.BadRequest',
    'type.googleapis.com/google.rpc.RetryInfo',
  ])
  const read = decodeDetails(bytes, codecs)
  assert.deepEqual(read.issues, error.issues)
  assert.equal(read.retryAfter, 12_346)
})

test('details of which nothing is known here are kept as they came, and sent on', () => {
  const details = [{ type: 'type.googleapis.com/acme.Other', value: Uint8Array.of(1, 2, 3) }]
  const bytes = encodeDetails(new CallError('internal', 'x', { details }), undefined)
  assert.deepEqual(decodeDetails(bytes, codecs).details, details)

  const [sent] = statusCodec.decode(bytes).details
  const any = fromBinary(
    AnySchema,
    toBinary(AnySchema, {
      $typeName: 'google.protobuf.Any',
      typeUrl: sent?.typeUrl ?? '',
      value: Uint8Array.from(sent?.value ?? []),
    }),
  )
  assert.equal(any.typeUrl, details[0]?.type)
})

test('bytes that are no status say nothing, and throw nothing', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      decodeDetails(bytes, codecs)
    }),
    { numRuns: runs(500) },
  )

  const good = encodeDetails(
    new CallError('aborted', 'x', {
      fault: { name: 'outOfStock', detail: { left: 3 } },
      issues: [{ path: 'a', message: 'b' }],
      retryAfter: 1_500,
    }),
    codecs,
  )
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, byte, length) => {
      const bad = good.slice(0, length)
      if (at < bad.length) bad[at] = byte
      decodeDetails(bad, codecs)
    }),
    { numRuns: runs(500) },
  )
})

test('trailers carry code, message, details and metadata, and are read again', () => {
  const error = new CallError('not_found', 'kein Auftrag „7“', {
    metadata: new Metadata({ 'x-why': 'gone', 'x-raw-bin': Uint8Array.of(1, 2) }),
    fault: { name: 'here', detail: { at: 'x' } },
  })
  const headers = new HttpHeaders(errorTrailers(error, codecs, () => assert.fail('all of it fits')))
  assert.equal(statusNumber(headers), 5)
  const read = readStatus(5, headers, codecs)
  assert.equal(read.code, 'not_found')
  assert.equal(read.message, error.message)
  assert.equal(read.origin, 'downstream')
  assert.deepEqual(read.fault, error.fault)
  assert.deepEqual([...read.metadata], [...error.metadata])
})

test('padded details are read, as grpc-js sends them; malformed ones leave the rest of the error', () => {
  const details = encodeDetails(raised('closed'), codecs)
  const padded = new HttpHeaders(['grpc-status-details-bin', Buffer.from(details).toString('base64')])
  assert.equal(readStatus(10, padded, codecs).fault?.name, 'closed')
  const malformed = new HttpHeaders([
    'grpc-message',
    'x',
    'grpc-status-details-bin',
    '*',
    'x-a-bin',
    '*',
    'x-b',
    'b',
  ])
  const read = readStatus(10, malformed, codecs)
  assert.equal(read.message, 'x')
  assert.equal(read.fault, undefined)
})

test('details that no header has room for are left out, and the error stays', () => {
  let leftOut = false
  const issues = Array.from({ length: 20 }, (_, n) => ({ path: `a[${n}]`, message: 'x'.repeat(1_000) }))
  const list = errorTrailers(
    new CallError('invalid_argument', 'y'.repeat(10_000), { issues }),
    codecs,
    () => {
      leftOut = true
    },
  )
  assert.equal(leftOut, true)
  assert.equal(new HttpHeaders(list).has('grpc-status-details-bin'), false)
  assert.ok(list.join('').length < 4 * 1024)
})

test('a status that is no number is unknown', () => {
  for (const text of ['', 'ok', '-1', '1.5', '99999999999']) {
    assert.equal(statusNumber(new HttpHeaders(['grpc-status', text])), 2, text)
  }
  assert.equal(statusNumber(new HttpHeaders(['grpc-status', '0'])), 0)
  assert.equal(statusNumber(new HttpHeaders()), undefined)
  assert.equal(readStatus(77, new HttpHeaders(), undefined).code, 'unknown')
})

test('answers that are not gRPC’s have the code that the mapping of HTTP says', () => {
  const codes = {
    200: 'unknown',
    400: 'internal',
    401: 'unauthenticated',
    403: 'permission_denied',
    404: 'unimplemented',
    429: 'unavailable',
    431: 'internal',
    500: 'unknown',
    502: 'unavailable',
    503: 'unavailable',
    504: 'unavailable',
  }
  for (const [status, code] of Object.entries(codes)) assert.equal(codeFromHttp(Number(status)), code, status)
})

test('streams that were reset have the code that gRPC gives to the error of HTTP/2', () => {
  const reset = (code: number) => codeFromAbort({ reason: 'reset', message: '', processed: 'maybe', code })
  assert.deepEqual([0, 1, 2, 8, 9, 11, 12].map(reset), [
    'internal',
    'internal',
    'internal',
    'canceled',
    'internal',
    'resource_exhausted',
    'permission_denied',
  ])
  assert.equal(codeFromAbort({ reason: 'closed', message: '', processed: 'maybe' }), 'unavailable')
  assert.equal(codeFromAbort({ reason: 'no_room', message: '', processed: 'no' }), 'resource_exhausted')
})
