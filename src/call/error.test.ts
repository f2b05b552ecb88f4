import assert from 'node:assert/strict'
import test from 'node:test'
import { statusFromHttp, statusFromNumber, statusTable } from '../contract/status.ts'
import { rememberingLog } from '../../test/support/quiet-log.ts'
import { call as declare, contract, contractInfo } from '../index.ts'
import type { CallOperation } from '../contract/operation.ts'
import { Call } from './call.ts'
import { CallError, asDownstream } from './error.ts'
import { outwardError } from './failure.ts'

const Ping = contract('test.ping.v1', { ping: declare({}) })
const made = () =>
  new Call(
    contractInfo(Ping).operations.get('ping') as CallOperation,
    undefined,
    undefined,
    undefined,
    undefined,
  )

test('an error of another copy of the library is recognised by its brand', () => {
  const foreign = Object.assign(new Error('x'), { [Symbol.for('trunkline.CallError')]: true })
  assert.ok(CallError.is(foreign))
  assert.ok(CallError.is(new CallError('aborted', 'x')))
  for (const other of [new Error('x'), null, undefined, 'x', { code: 'aborted' }])
    assert.ok(!CallError.is(other))
})

test('an error has its code’s HTTP status, or its fault’s own', () => {
  assert.equal(new CallError('not_found', '').httpStatus, 404)
  assert.equal(new CallError('failed_precondition', '', { http: 409 }).httpStatus, 409)
})

test('marking an error as downstream keeps all that it says', () => {
  const error = new CallError('aborted', 'why', {
    fault: { name: 'f', detail: 1 },
    retryAfter: 5,
    processed: 'no',
    issues: [{ path: 'a', message: 'b' }],
    http: 418,
  })
  const marked = asDownstream(error)
  assert.equal(marked.origin, 'downstream')
  assert.equal(asDownstream(marked), marked)
  for (const key of ['code', 'message', 'fault', 'retryAfter', 'processed', 'issues', 'http'] as const) {
    assert.deepEqual(marked[key], error[key], key)
  }
})

test('what a handler raises itself keeps its code, everything else is hidden behind an id', () => {
  const log = rememberingLog()
  const own = new CallError('aborted', 'mine')
  assert.equal(outwardError(made(), own, log), own)
  assert.equal(log.lines.length, 0)

  const outward = outwardError(made(), new Error('secret'), log)
  assert.equal(outward.code, 'internal')
  assert.doesNotMatch(outward.message, /secret/)
  assert.equal(log.lines[0]?.level, 'error')
})

test('a downstream error becomes unavailable if waiting may help, else internal', () => {
  const log = rememberingLog()
  for (const code of Object.keys(statusTable) as (keyof typeof statusTable)[]) {
    const outward = outwardError(made(), new CallError(code, 'theirs', { origin: 'downstream' }), log)
    const waiting = ['unavailable', 'deadline_exceeded', 'resource_exhausted'].includes(code)
    assert.equal(outward.code, waiting ? 'unavailable' : 'internal', code)
    assert.equal(outward.origin, 'local')
  }
})

test('a cancelled call ends as it was cancelled, whatever its handler throws then', () => {
  const call = made()
  const why = new CallError('deadline_exceeded', 'late')
  call.cancel(why)
  assert.equal(outwardError(call, new Error('AbortError'), rememberingLog()), why)
})

test('every code has a number of its own, and the numbers lead back', () => {
  const numbers = new Set<number>()
  for (const [code, { number }] of Object.entries(statusTable)) {
    numbers.add(number)
    assert.equal(statusFromNumber(number), code)
  }
  assert.equal(numbers.size, 16)
  assert.equal(statusFromNumber(99), 'unknown')
  for (const status of [301, 400, 418, 429, 500, 503]) assert.ok(statusFromHttp(status) in statusTable)
})
