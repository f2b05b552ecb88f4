import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { PartialBodies } from './partial-bodies.ts'

/** Bodies with names, a clock that a test moves, and who gave way. */
function scene(limit: number) {
  const clock = { now: 0 }
  const bodies = new PartialBodies(limit, () => clock.now)
  const refused: string[] = []
  const open = (name: string) => bodies.open(() => refused.push(name))
  return { clock, bodies, refused, open }
}

const turn = () => new Promise<void>((resolve) => queueMicrotask(resolve))

test('below the limit all bodies grow', () => {
  const { bodies, open } = scene(100)
  const one = open('one')
  assert.ok(one.take(60) && open('two').take(40))
  assert.equal(bodies.held, 100)
  one.give(10)
  one.close()
  assert.equal(bodies.held, 40)
})

test('beyond it the one that was begun last gives way, and those begun first are completed', async () => {
  const { bodies, refused, open } = scene(100)
  const [first, second, third] = [open('first'), open('second'), open('third')]
  assert.ok(first.take(30) && second.take(30) && third.take(30))
  assert.ok(first.take(30))
  assert.equal(second.take(50), false)
  assert.ok(first.take(100))
  await turn()
  assert.deepEqual(refused, ['third', 'second'])
  assert.equal(third.take(1), false)
  assert.equal(bodies.held, 160)
})

test('a body that has just begun gives way to those that are on their way', async () => {
  const { refused, open } = scene(100)
  assert.ok(open('old').take(100))
  assert.equal(open('new').take(1), false)
  await turn()
  assert.deepEqual(refused, ['new'])
})

test('whoever stands still while others send gives way first, the longest silence before others', async () => {
  const { clock, refused, open } = scene(100)
  const [holding, silent, sending] = [open('holding'), open('silent'), open('sending')]
  assert.ok(holding.take(40))
  clock.now = 100
  assert.ok(silent.take(40) && sending.take(20))
  clock.now = 1_999
  holding.give(1)
  assert.ok(holding.take(1))
  clock.now = 2_150
  assert.ok(open('new').take(10))
  await turn()
  assert.deepEqual(refused, ['silent'])
})

test('one that is alone may grow beyond the limit: a message that is allowed is never too large for the server', () => {
  const { open } = scene(100)
  const only = open('only')
  assert.ok(only.take(90) && only.take(500))
})

test('a refusal comes after the bytes that caused it, once', async () => {
  const { refused, open } = scene(100)
  open('old').take(100)
  const late = open('late')
  late.take(1)
  late.take(1)
  assert.deepEqual(refused, [])
  await turn()
  assert.deepEqual(refused, ['late'])
})

test('whatever is taken and given, no more is held than the limit and one body, and the first goes on', () => {
  const step = fc.tuple(fc.nat(9), fc.nat(40), fc.nat(1_500), fc.boolean())
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { clock, bodies, open } = scene(100)
      const accounts = Array.from({ length: 10 }, (_, index) => open(String(index)))
      const held = accounts.map(() => 0)
      for (const [index, size, wait, close] of steps) {
        clock.now += wait
        const account = accounts[index] as ReturnType<typeof open>
        if (close) {
          account.close()
          accounts[index] = open(String(index))
          held[index] = 0
        } else if (account.take(size)) held[index] = (held[index] as number) + size
        const largest = Math.max(...held)
        assert.ok(bodies.held >= 0 && bodies.held <= 100 + largest, `${bodies.held} are held`)
      }
      for (const account of accounts) account.close()
      assert.equal(bodies.held, 0)
    }),
  )
})
