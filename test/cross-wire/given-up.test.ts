/** A call that is given up ends on both sides, although nobody reads or sends any more. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { CallError, type Filter } from 'trunkline'
import { type Signal, signal } from '../support/events.ts'
import { Probe } from './contract.ts'
import { probe } from './probe.ts'
import { testIf } from '../support/test-if.ts'
import { pair, rows, withoutStreamedInput } from './rows.ts'

interface Outcome {
  readonly error: CallError | undefined
}

/** Watches one call, whatever its operation; `echo` is for being connected before that. */
function watching(): { filter: Filter; ended: Signal<Outcome> } {
  const ended = signal<Outcome>()
  let ends = 0
  const filter: Filter = (next) => (each) => {
    if (each.operation.name === 'echo') return next(each)
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

  testIf(
    !withoutStreamedInput(row),
    `a call whose input never comes ends with its deadline, and its source is told, over ${row.name}`,
    async () => {
      const client = watching()
      const server = watching()
      await using running = await pair(row, Probe, probe().implementation, {
        serve: { filters: [server.filter] },
        connect: { filters: { call: [client.filter] } },
      })

      // Connecting may take longer than the call has, and then no server would hear of it.
      await running.client.echo({ n: 1, text: 'x' })

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
    },
  )

  test(`an onReply that throws fails its call once, and says so, over ${row.name}`, async () => {
    const { implementation, observed } = probe()
    const client = watching()
    await using running = await pair(row, Probe, implementation)
    const watched = running.connect({ filters: { call: [client.filter] } })
    const onReply = () => {
      throw new TypeError('out of paper')
    }
    const saysSo = (error: unknown) => {
      assert.ok(CallError.is(error) && error.code === 'internal', String(error))
      assert.match(error.message, /endless: onReply threw: out of paper|echo: onReply threw: out of paper/)
      return true
    }

    await assert.rejects(running.client.echo({ n: 1, text: 'x' }, { onReply }), saysSo)
    const byItself: Filter = () => () => ({
      output: { n: 1, text: 'x' },
      metadata: undefined,
      trailers: undefined,
    })
    const answered = running.connect({ filters: { call: [byItself] } })
    await assert.rejects(answered.echo({ n: 1, text: 'x' }, { onReply }), saysSo)

    const read = async () => {
      for await (const _item of watched.endless({ size: 10 }, { onReply })) assert.fail('nothing is read')
    }
    await assert.rejects(read(), saysSo)
    assert.equal((await client.ended.promise).error?.code, 'internal')
    await observed.streamStopped.promise
  })
}
