import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { runs } from '../../test/support/fuzz.ts'
import { BandwidthEstimate } from './bandwidth.ts'
import { Budget } from './budget.ts'
import { ReceiveWindow, widened } from './windows.ts'

test('bytes are granted again in portions of half a window', () => {
  const window = new ReceiveWindow(1000)
  assert.equal(window.receive(400), true)
  assert.equal(window.release(400), 0)
  assert.equal(window.receive(100), true)
  assert.equal(window.release(100), 500)
  assert.equal(window.available, 1000)
})

test('in smaller ones where most of the window is held', () => {
  const window = new ReceiveWindow(1000)
  window.receive(900)
  assert.equal(window.release(124), 0)
  assert.equal(window.release(1), 125)
})

test('a peer that sends beyond the window is found out', () => {
  const window = new ReceiveWindow(10)
  assert.equal(window.receive(10), true)
  assert.equal(window.receive(1), false)
})

test('whatever is received and released, what is granted never passes the window, and the peer is never stuck', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5000 }),
      fc.array(fc.nat(3000), { maxLength: 60 }),
      (size, steps) => {
        const window = new ReceiveWindow(size)
        let allowed = size
        let held = 0
        for (const step of steps) {
          const sent = Math.min(step, allowed)
          assert.equal(window.receive(sent), true)
          allowed -= sent
          held += sent
          const taken = Math.min(step * 2, held)
          held -= taken
          allowed += window.release(taken)
          assert.ok(allowed + held <= size)
        }
        allowed += window.release(held)
        assert.ok(allowed > 0)
      },
    ),
    { numRuns: runs(200) },
  )
})

test('a window becomes larger, never smaller', () => {
  const window = new ReceiveWindow(100)
  window.receive(60)
  assert.equal(window.grow(300), 200)
  assert.equal(window.available, 240)
  assert.equal(window.grow(200), 0)
})

test('a send window passes 2^31-1 only by mistake', () => {
  assert.equal(widened(0, 0x7fff_ffff), 0x7fff_ffff)
  assert.equal(widened(1, 0x7fff_ffff), undefined)
  assert.equal(widened(-5, 10), 5)
})

test('where a round trip brings a full window, the window doubles, up to its limit', () => {
  const estimate = new BandwidthEstimate(1000, 3000)
  assert.equal(estimate.received(100), false)
  assert.equal(estimate.received(200), true)
  estimate.sent(0)
  estimate.received(900)
  assert.equal(estimate.answered(10), true)
  assert.equal(estimate.window, 1800)
  assert.equal(estimate.received(450), true)
  estimate.sent(20)
  estimate.received(1800)
  assert.equal(estimate.answered(30), true)
  assert.equal(estimate.window, 3000)
  assert.equal(estimate.received(100_000), false)
})

test('where it does not, the window stays, and the next sample is rarer', () => {
  const estimate = new BandwidthEstimate(1000, 3000)
  estimate.received(250)
  estimate.sent(0)
  estimate.received(650)
  assert.equal(estimate.answered(10), false)
  assert.equal(estimate.received(499), false)
  assert.equal(estimate.received(1), true)
  estimate.sent(20)
  // Enough bytes, but in ten times the time: the peer, not the window, is the limit.
  estimate.received(700)
  assert.equal(estimate.answered(120), false)
  assert.equal(estimate.window, 1000)
})

test('a budget is what it holds at first, what time adds, and what is earned', () => {
  const budget = new Budget(3, 10)
  assert.deepEqual(
    [1, 2, 3, 4].map(() => budget.take(5)),
    [true, true, true, false],
  )
  assert.equal(budget.take(304), true)
  budget.earn(100)
  assert.deepEqual(
    [1, 2, 3, 4].map(() => budget.take(304)),
    [true, true, true, false],
  )
})
