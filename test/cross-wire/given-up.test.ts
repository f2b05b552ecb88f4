/** A call that is given up ends on both sides, although nobody reads or sends any more. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { CallError, Filter } from 'trunkline'
import { type Signal, signal } from '../support/events.ts'
import { Probe } from './contract.ts'
import { probe } from './probe.ts'
import { pair, rows } from './rows.ts'

interface Outcome {
  readonly error: CallError | undefined
}

function watching(): { filter: Filter; ended: Signal<Outcome> } {
  const ended = signal<Outcome>()
  let ends = 0
  const filter: Filter = (next) => (each) => {
    each.onEnd((outcome) => {
      assert.equal(++ends, 1)
      ended.resolve(outcome)
    })
    return next(each)
  }
  return { filter, ended }
}

for (const row of rows) {
  test(`a stream that is canceled and never read again ends on both sides, over ${row.name}`, async () => {
    const { implementation, observed } = probe()
    const client = watching()
    const server = watching()
    await using running = await pair(row, Probe, implementation, {
      serve: { filters: [server.filter] },
      connect: { filters: { call: [client.filter] } },
    })

    const controller = new AbortController()
    const stream = running.client.endless({ size: 10 }, { signal: controller.signal })[Symbol.asyncIterator]()
    await stream.next()
    controller.abort()
    assert.equal((await client.ended.promise).error?.code, 'canceled')
    assert.equal((await server.ended.promise).error?.code, 'canceled')
    await observed.streamStopped.promise
  })

  test(`a call whose input never comes ends with its deadline, and its source is told, over ${row.name}`, async () => {
    const client = watching()
    const server = watching()
    await using running = await pair(row, Probe, probe().implementation, {
      serve: { filters: [server.filter] },
      connect: { filters: { call: [client.filter] } },
    })

    const returned = signal()
    const source: AsyncIterable<{ n: number; text: string }> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => undefined),
        return() {
          returned.resolve()
          return Promise.resolve({ done: true as const, value: undefined })
        },
      }),
    }
    await assert.rejects(running.client.sum(source, { timeout: 50 }), { code: 'deadline_exceeded' })
    assert.equal((await client.ended.promise).error?.code, 'deadline_exceeded')
    assert.match(String((await server.ended.promise).error?.code), /deadline_exceeded|canceled/)
    await returned.promise
  })
}
