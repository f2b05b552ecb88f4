import assert from 'node:assert/strict'
import test from 'node:test'
import { call as declare, contract, contractInfo } from '../index.ts'
import type { CallOperation } from '../contract/operation.ts'
import { Call, type Outcome } from './call.ts'
import { CallError } from './error.ts'

const Ping = contract('test.ping.v1', { ping: declare({}) })
const ping = contractInfo(Ping).operations.get('ping') as CallOperation
const made = () => new Call(ping, undefined, 'input', undefined, undefined)
const why: CallError = new CallError('canceled', 'enough')

test('the input of a server’s call is decoded at first use and once', () => {
  let decoded = 0
  const call = new Call(ping, { input: () => ++decoded }, undefined, undefined, undefined)
  assert.equal(decoded, 0)
  assert.equal(call.input(), 1)
  assert.equal(call.input(), 1)
})

test('cancelling tells every listener and the signal once, with the reason', () => {
  const call = made()
  const told: unknown[] = []
  call.onCancel((reason) => told.push(1, reason))
  call.onCancel((reason) => told.push(2, reason))
  const forgotten = () => told.push('forgotten')
  call.onCancel(forgotten)
  call.offCancel(forgotten)
  const { signal } = call
  call.cancel(why)
  call.cancel(new CallError('internal', 'later'))
  assert.deepEqual(told, [1, why, 2, why])
  assert.equal(signal.reason, why)
  assert.equal(call.canceled, why)
  call.onCancel((reason) => told.push(3, reason))
  assert.deepEqual(told.slice(4), [3, why])
  assert.equal(made().signal.aborted, false)
})

test('the end is told once to every listener, and cancelling afterwards does nothing', () => {
  const call = made()
  const ends: Outcome[] = []
  for (let i = 0; i < 3; i++) call.onEnd((outcome) => ends.push(outcome))
  call.end(why, 2, 3)
  call.end(undefined, 0, 0)
  call.cancel(why)
  assert.equal(call.canceled, undefined)
  call.onEnd((outcome) => ends.push(outcome))
  assert.deepEqual(
    ends,
    Array.from({ length: 4 }, () => ({ error: why, received: 2, sent: 3 })),
  )
})

test('a deadline cancels with deadline_exceeded; only an earlier one replaces it; the end takes it away', async () => {
  const late = made()
  const canceled = new Promise<CallError>((resolve) => late.onCancel(resolve))
  late.limit(performance.now() + 60_000)
  late.limit(performance.now() + 10)
  late.limit(performance.now() + 120_000)
  // The wheel's timer does not keep the process alive, so something else must.
  const alive = setInterval(() => undefined, 1_000)
  assert.equal((await canceled).code, 'deadline_exceeded')
  clearInterval(alive)

  const ended = made()
  ended.limit(performance.now() + 60_000)
  assert.ok(ended.wheelSlot >= 0)
  ended.end(undefined, 1, 1)
  assert.equal(ended.wheelSlot, -1)
})
