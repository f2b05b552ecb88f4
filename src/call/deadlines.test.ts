import assert from 'node:assert/strict'
import test, { mock } from 'node:test'
import * as fc from 'fast-check'
import { DeadlineWheel, type Expiring } from './deadlines.ts'

class Entry implements Expiring {
  readonly deadline: number
  readonly #wheel: FakeTime
  expiredAt: number | undefined
  wheelSlot = -1
  wheelNext: Expiring | undefined
  wheelPrevious: Expiring | undefined

  constructor(deadline: number, time: FakeTime) {
    this.deadline = deadline
    this.#wheel = time
  }

  expire(): void {
    this.expiredAt = this.#wheel.now()
  }
}

/** A clock that moves together with the mocked timers. */
class FakeTime {
  #now = 1_000
  now(): number {
    return this.#now
  }
  read(): number {
    return this.#now
  }
  pass(milliseconds: number): void {
    for (let i = 0; i < milliseconds; i++) {
      this.#now++
      mock.timers.tick(1)
    }
  }
}

function withWheel(run: (wheel: DeadlineWheel, time: FakeTime) => void): void {
  mock.timers.enable({ apis: ['setTimeout'] })
  try {
    const time = new FakeTime()
    run(new DeadlineWheel(time), time)
  } finally {
    mock.timers.reset()
  }
}

test('an entry expires once, not early and at most 32 ms late', () => {
  withWheel((wheel, time) => {
    const entries = [5, 16, 17, 250, 999, 8_192, 8_200, 30_000].map(
      (delay) => new Entry(time.now() + delay, time),
    )
    for (const entry of entries) wheel.add(entry)
    time.pass(31_000)
    for (const { deadline, expiredAt } of entries) {
      assert.ok(
        expiredAt !== undefined && expiredAt >= deadline && expiredAt <= deadline + 32,
        `${deadline}: ${expiredAt}`,
      )
    }
    assert.equal(wheel.size, 0)
  })
})

test('an entry that was removed does not expire, and its neighbours do', () => {
  withWheel((wheel, time) => {
    const entries = Array.from({ length: 9 }, () => new Entry(time.now() + 100, time))
    for (const entry of entries) wheel.add(entry)
    for (const index of [0, 4, 8]) wheel.remove(entries[index] as Entry)
    wheel.remove(entries[0] as Entry)
    assert.equal(wheel.size, 6)
    time.pass(200)
    assert.deepEqual(
      entries.map(({ expiredAt }) => expiredAt !== undefined),
      [false, true, true, true, false, true, true, true, false],
    )
  })
})

test('an entry whose time has passed expires at the next turn', () => {
  withWheel((wheel, time) => {
    time.pass(5_000)
    const entry = new Entry(time.now() - 1_000, time)
    wheel.add(entry)
    time.pass(40)
    assert.notEqual(entry.expiredAt, undefined)
  })
})

test('whatever is added and removed, only what is left expires, in time', () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ add: fc.integer({ min: -50, max: 20_000 }) }),
      fc.record({ remove: fc.nat(30) }),
      fc.record({ pass: fc.integer({ min: 1, max: 400 }) }),
    ),
    { maxLength: 60 },
  )
  fc.assert(
    fc.property(steps, (script) => {
      withWheel((wheel, time) => {
        const all: { entry: Entry; added: number; removed: boolean }[] = []
        for (const step of script) {
          if ('add' in step) {
            const entry = new Entry(time.now() + step.add, time)
            all.push({ entry, added: time.now(), removed: false })
            wheel.add(entry)
          } else if ('remove' in step) {
            const chosen = all[step.remove]
            if (chosen && chosen.entry.expiredAt === undefined) {
              chosen.removed = true
              wheel.remove(chosen.entry)
            }
          } else time.pass(step.pass)
        }
        time.pass(21_000)
        assert.equal(wheel.size, 0)
        for (const { entry, added, removed } of all) {
          if (removed) assert.equal(entry.expiredAt, undefined)
          else {
            const due = Math.max(entry.deadline, added)
            assert.ok(entry.expiredAt !== undefined && entry.expiredAt >= entry.deadline)
            assert.ok(entry.expiredAt <= due + 40, `${due}: ${entry.expiredAt}`)
          }
        }
      })
    }),
    { numRuns: 40 },
  )
})
