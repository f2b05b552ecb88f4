import assert from 'node:assert/strict'
import test from 'node:test'
import { CallError } from 'trunkline'
import { until } from '../support/events.ts'
import { Probe } from './contract.ts'
import { probe } from './probe.ts'
import { testIf } from '../support/test-if.ts'
import { pair, rows, withoutStreamedInput } from './rows.ts'

const items = (count: number) => Array.from({ length: count }, (_, n) => ({ n, text: `#${n}` }))

async function* lazily<T>(values: readonly T[]): AsyncGenerator<T> {
  for (const value of values) yield value
}

for (const row of rows) {
  for (const count of [0, 1, 10_000]) {
    test(`a streamed output of ${count} messages arrives whole and in order, over ${row.name}`, async () => {
      await using running = await pair(row, Probe, probe().implementation)
      let next = 0
      for await (const item of running.client.count({ to: count })) {
        assert.deepEqual(item, { n: next, text: `#${next}` })
        next++
      }
      assert.equal(next, count)
    })

    testIf(
      !withoutStreamedInput(row),
      `a streamed input of ${count} messages arrives whole and in order, over ${row.name}`,
      async () => {
        await using running = await pair(row, Probe, probe().implementation)
        const sum = count === 0 ? 0 : (count * (count - 1)) / 2
        assert.deepEqual(await running.client.sum(lazily(items(count))), { count, sum })
        assert.deepEqual(await running.client.sum(items(count)), { count, sum })
      },
    )

    testIf(!withoutStreamedInput(row), `${count} messages go both ways, over ${row.name}`, async () => {
      await using running = await pair(row, Probe, probe().implementation)
      const received: number[] = []
      for await (const { n } of running.client.transform(items(count))) received.push(n)
      assert.deepEqual(
        received,
        Array.from({ length: count }, (_, n) => n * 2),
      )
    })
  }

  testIf(
    row.duplex && !withoutStreamedInput(row),
    `question and answer take turns on one call, over ${row.name}`,
    async () => {
      await using running = await pair(row, Probe, probe().implementation)
      const questions: ((item: { n: number; text: string }) => void)[] = []
      async function* ask() {
        for (let i = 0; i < 5; i++) {
          yield await new Promise<{ n: number; text: string }>((resolve) => questions.push(resolve))
        }
      }

      const answers = running.client.transform(ask())[Symbol.asyncIterator]()
      for (let n = 0; n < 5; n++) {
        const answer = answers.next()
        await until(() => questions.length === n + 1, 'the next question')
        questions[n]?.({ n, text: 'q' })
        assert.deepEqual((await answer).value, { n: n * 2, text: 'q' })
      }
      assert.equal((await answers.next()).done, true)
    },
  )

  test(`an error in mid-stream comes after the messages before it, over ${row.name}`, async () => {
    await using running = await pair(row, Probe, probe().implementation)
    const received: number[] = []
    await assert.rejects(
      async () => {
        for await (const { n } of running.client.count({ to: 100, failAt: 7 })) received.push(n)
      },
      (error: unknown) => CallError.is(error) && error.code === 'data_loss' && error.message === 'at 7',
    )
    assert.deepEqual(received, [0, 1, 2, 3, 4, 5, 6])
  })

  test(`a reader that stops early ends the handler's generator, over ${row.name}`, async () => {
    const { implementation, observed } = probe()
    await using running = await pair(row, Probe, implementation)
    let seen = 0
    for await (const _item of running.client.endless({ size: 10 })) if (++seen === 20) break
    await observed.streamStopped.promise
    assert.deepEqual(await running.client.echo({ n: 1, text: 'after' }), { n: 1, text: 'after' })
  })

  testIf(!withoutStreamedInput(row), `a handler may leave its input unread, over ${row.name}`, async () => {
    await using running = await pair(row, Probe, probe().implementation)
    assert.deepEqual(await running.client.unread(items(5_000)), { read: 1 })
    assert.deepEqual(await running.client.echo({ n: 1, text: 'after' }), { n: 1, text: 'after' })
  })

  testIf(
    !withoutStreamedInput(row),
    `an input that fails at the sender cancels the call, over ${row.name}`,
    async () => {
      await using running = await pair(row, Probe, probe().implementation)
      async function* broken() {
        yield { n: 1, text: 'one' }
        throw new Error('the source ran dry')
      }
      await assert.rejects(running.client.sum(broken()), (error: unknown) => CallError.is(error))
      assert.deepEqual(await running.client.echo({ n: 1, text: 'after' }), { n: 1, text: 'after' })
    },
  )

  testIf(
    !withoutStreamedInput(row),
    `an invalid message in a streamed input is invalid_argument, over ${row.name}`,
    async () => {
      await using running = await pair(row, Probe, probe().implementation)
      const wrong = [{ n: 1, text: 'one' }, { n: 'two', text: 'two' } as never]
      await assert.rejects(
        running.client.sum(wrong),
        (error: unknown) => CallError.is(error) && error.code === 'invalid_argument',
      )
    },
  )

  test(`a slow reader stops the sender within bounds, over ${row.name}`, async () => {
    const { implementation, observed } = probe()
    await using running = await pair(row, Probe, implementation, {
      serve: { limits: { streamWindow: 64 * 1024, connectionWindow: 256 * 1024 } },
      connect: { limits: { streamWindow: 64 * 1024, connectionWindow: 256 * 1024 } },
    })
    const reader = running.client.endless({ size: 1024 })[Symbol.asyncIterator]()
    await reader.next()

    // The sender has stopped when its count stays the same while another call makes a whole round trip, many times.
    let before = -1
    await until(() => observed.yielded > 0, 'the first message')
    for (let same = 0; same < 20;) {
      same = observed.yielded === before ? same + 1 : 0
      before = observed.yielded
      await running.client.echo({ n: 1, text: 'round trip' })
    }
    // Windows, plus what kernel buffers of one connection hold (4 MiB each way at the very most on loopback).
    assert.ok(
      observed.yielded * 1024 < 12 * 1024 * 1024,
      `${observed.yielded} KiB were sent to a reader that read one`,
    )

    const stopped = observed.yielded
    for (let i = 0; i < stopped + 100; i++) await reader.next()
    assert.ok(observed.yielded > stopped, 'reading on lets the sender go on')
    await reader.return?.()
    await observed.streamStopped.promise
  })

  testIf(
    !withoutStreamedInput(row),
    `a handler that reads slowly stops the client within bounds, over ${row.name}`,
    async () => {
      const { implementation, observed } = probe()
      await using running = await pair(row, Probe, implementation, {
        serve: { limits: { streamWindow: 64 * 1024, connectionWindow: 256 * 1024 } },
      })
      let given = 0
      async function* source() {
        for (;;) {
          given++
          yield { n: 1, text: 'x'.repeat(1024) }
        }
      }

      // `transform` is pulled by its reader, so a reader that waits stops handler, wire and source alike.
      const reader = running.client.transform(source())[Symbol.asyncIterator]()
      await reader.next()
      let before = -1
      for (let same = 0; same < 20;) {
        same = given === before ? same + 1 : 0
        before = given
        await running.client.echo({ n: 1, text: 'round trip' })
      }
      assert.ok(given * 1024 < 24 * 1024 * 1024, `${given} KiB were taken from the source`)
      assert.ok(observed.received <= given)
      await reader.return?.()
    },
  )
}
