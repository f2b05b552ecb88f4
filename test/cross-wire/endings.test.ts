/**
 * Calls that end anyhow: whoever gives up, fails, runs out of time, is closed or cut, at whatever moment. Each call ends
 * once on both sides, nothing stays open, no listener is left, and no rejection is anybody's but the caller's.
 */
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import test from 'node:test'
import * as fc from 'fast-check'
import { CallError, type Filter, call, connect, contract, disconnect, implement, stream } from 'trunkline'
import * as z from 'zod'
import { certificate } from '../support/certificate.ts'
import { until } from '../support/events.ts'
import { runs } from '../support/fuzz.ts'
import { quiet } from '../support/quiet-log.ts'
import { pair, relay, rows, throughRelay } from './rows.ts'

const Item = z.object({ plan: z.int32(), n: z.int32() })
const Ends = contract('test.ends.v1', {
  unary: call({ input: Item, output: Item }),
  down: call({ input: Item, output: stream(Item) }),
  up: call({ input: stream(Item), output: Item }),
  both: call({ input: stream(Item), output: stream(Item) }),
})

const kinds = ['unary', 'down', 'up', 'both'] as const
const ways = ['goes on', 'fails', 'hangs', 'stops'] as const

/** What happens to one call. Counts are messages or turns of the event loop. */
interface Plan {
  readonly kind: (typeof kinds)[number]
  readonly begins: number
  readonly sender: (typeof ways)[number]
  readonly sends: number
  readonly handler: (typeof ways)[number]
  readonly handles: number
  readonly readerStops: number | undefined
  readonly aborts: number | undefined
  readonly timeout: number | undefined
}

/** What happens to all of them. */
interface Round {
  readonly plans: readonly Plan[]
  readonly event: 'nothing' | 'cut' | 'server closes' | 'client closes'
  readonly at: number
  readonly grace: number
}

const maybe = (max: number) => fc.option(fc.nat(max), { nil: undefined })
const plan: fc.Arbitrary<Plan> = fc.record({
  kind: fc.constantFrom(...kinds),
  begins: fc.nat(8),
  sender: fc.constantFrom(...ways),
  sends: fc.nat(20),
  handler: fc.constantFrom(...ways),
  handles: fc.nat(20),
  readerStops: maybe(12),
  aborts: maybe(12),
  timeout: fc.option(fc.constantFrom(1, 2, 5, 20, 40), { nil: undefined }),
})
const round: fc.Arbitrary<Round> = fc.record({
  plans: fc.array(plan, { minLength: 1, maxLength: 16 }),
  event: fc.constantFrom('nothing', 'cut', 'server closes', 'client closes'),
  at: fc.nat(16),
  grace: fc.constantFrom(0, 1, 10),
})

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** Waits until the handler is told to give up. */
const toldToGiveUp = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

class Count {
  began = 0
  ended = 0
  readonly ends = new Map<object, number>()

  readonly filter: Filter = (next) => (each) => {
    this.began++
    each.onEnd(() => {
      this.ended++
      this.ends.set(each, (this.ends.get(each) ?? 0) + 1)
    })
    return next(each)
  }

  check(side: string): void {
    assert.equal(this.ended, this.began, side)
    for (const times of this.ends.values()) assert.equal(times, 1, side)
  }
}

function handlers(plans: readonly Plan[]) {
  const act = async (index: number, signal: AbortSignal) => {
    const { handler } = plans[index] as Plan
    if (handler === 'fails') throw new Error('the handler failed')
    if (handler === 'hangs') await toldToGiveUp(signal)
  }
  async function* some(index: number, signal: AbortSignal) {
    for (let n = 0; n < (plans[index] as Plan).handles; n++) {
      yield { plan: index, n }
      if (n % 3 === 2) await turns(1)
    }
    await act(index, signal)
  }

  return implement(Ends, {
    async unary(item, ctx) {
      await turns((plans[item.plan] as Plan).handles % 4)
      await act(item.plan, ctx.signal)
      return item
    },
    down: ({ plan: index }, ctx) => some(index, ctx.signal),
    async up(items, ctx) {
      let n = 0
      let index = 0
      for await (const item of items) {
        index = item.plan
        if (++n > (plans[index] as Plan).handles) break
      }
      await act(index, ctx.signal)
      return { plan: index, n }
    },
    async *both(items, ctx) {
      let index = 0
      for await (const item of items) {
        index = item.plan
        yield item
        if (item.n > (plans[index] as Plan).handles) break
      }
      yield* some(index, ctx.signal)
    },
  })
}

for (const row of rows) {
  test(`however calls end, they end once on both sides and leave nothing, over ${row.name}`, async () => {
    const stray: unknown[] = []
    const onStray = (error: unknown) => void stray.push(error)
    process.on('unhandledRejection', onStray)

    const run = async ({ plans, event, at, grace }: Round) => {
      const atServer = new Count()
      const atClient = new Count()
      await using running = await pair(row, Ends, handlers(plans), { serve: { filters: [atServer.filter] } })
      const cuttable = row.scheme !== undefined && row.unix !== true && event === 'cut'
      await using between = cuttable ? await relay(running.server.port) : undefined
      await using client = connect(
        Ends,
        between === undefined ? running.target : throughRelay(row, between),
        {
          log: quiet,
          filters: { call: [atClient.filter] },
          ...(row.tls ? { tls: { ca: certificate().cert, servername: 'localhost' } } : {}),
        },
      )

      const signals: AbortSignal[] = []
      let settled = 0
      const one = async (each: Plan, index: number) => {
        const { kind, sender, sends, readerStops, aborts, timeout } = each
        await turns(each.begins)
        const controller = new AbortController()
        signals.push(controller.signal)
        if (aborts !== undefined) void turns(aborts).then(() => controller.abort())
        async function* source() {
          for (let n = 0; n < sends; n++) {
            yield { plan: index, n }
            if (n % 3 === 2) await turns(1)
          }
          if (sender === 'fails') throw new Error('the source failed')
          // It listens to nobody, as a source may.
          if (sender === 'hangs') await new Promise(() => undefined)
        }
        const options = { signal: controller.signal, timeout: timeout ?? 300 }
        try {
          if (kind === 'unary') await client.unary({ plan: index, n: 0 }, options)
          else if (kind === 'up') await client.up(source(), options)
          else {
            const answer =
              kind === 'down' ? client.down({ plan: index, n: 0 }, options) : client.both(source(), options)
            let seen = 0
            for await (const item of answer) {
              if (kind === 'down') assert.equal(item.plan, index)
              if (++seen === readerStops) break
            }
          }
        } catch (error) {
          assert.ok(CallError.is(error), String(error))
        }
        settled++
      }

      const all = plans.map(one)
      await turns(at)
      if (event === 'cut') between?.cut()
      if (event === 'server closes') void running.server.close({ grace })
      if (event === 'client closes') void disconnect(client, { grace })

      await until(() => settled === plans.length, `${settled} of ${plans.length} calls settled`, 8_000)
      await Promise.all(all)
      await until(
        () => atClient.ended === atClient.began,
        `the client ended ${atClient.ended} of ${atClient.began}`,
        8_000,
      )
      await until(
        () => atServer.ended === atServer.began,
        `the server ended ${atServer.ended} of ${atServer.began}`,
        8_000,
      )
      atClient.check('client')
      atServer.check('server')
      await until(() => running.server.active === 0, 'no call is open at the server', 8_000)
      for (const signal of signals) assert.equal(getEventListeners(signal, 'abort').length, 0)

      await disconnect(client, { grace: 0 })
      await running.server.close({ grace: 0 })
      await turns(2)
      assert.deepEqual(stray.map(String), [])
    }

    try {
      await fc.assert(fc.asyncProperty(round, run), { numRuns: runs(12), endOnFailure: true })
    } finally {
      process.off('unhandledRejection', onStray)
    }
  })
}
