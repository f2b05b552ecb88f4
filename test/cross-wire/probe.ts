/** The handlers of the probe contract, and what they can be asked about afterwards. */
import { CallError, type Implementation, implement } from 'trunkline'
import { type Signal, signal } from '../support/events.ts'
import { Probe } from './contract.ts'

/** What the handlers of one server saw. */
export interface Observed {
  /** Handlers of `wait` that were entered, by id; resolves when one is. */
  entered(id: string): Promise<void>
  /** Resolves with the reason when the handler of `wait` with this id was told to give up. */
  canceled(id: string): Promise<string>
  /** Lets the handler of `wait` with this id return. */
  release(id: string): void
  /** How many messages `endless` has yielded, and how many `sum` and `unread` were given. */
  yielded: number
  received: number
  /** Resolves when a generator of `endless` or `count` was ended before its time. */
  readonly streamStopped: Signal
}

export function probe(): { implementation: Implementation<typeof Probe>; observed: Observed } {
  const events = new Map<string, { entered: Signal; canceled: Signal<string>; released: Signal }>()
  const of = (id: string) => {
    let known = events.get(id)
    if (known === undefined) {
      known = { entered: signal(), canceled: signal<string>(), released: signal() }
      events.set(id, known)
    }
    return known
  }

  const observed: Observed = {
    entered: (id) => of(id).entered.promise,
    canceled: (id) => of(id).canceled.promise,
    release: (id) => of(id).released.resolve(),
    yielded: 0,
    received: 0,
    streamStopped: signal(),
  }

  const implementation = implement(Probe, {
    echo: (item) => item,
    nothing() {},
    bytes: (value) => value,
    bounded: ({ quantity }) => ({ quantity }),
    defaults: ({ name, times }) => ({ name, times: times ?? null }),
    fail({ code, message }) {
      throw new CallError(code, message)
    },
    async faults({ which }, ctx) {
      if (which === 'plain') throw ctx.fault.plain('a plain one')
      if (which === 'detailed') throw ctx.fault.detailed({ at: new Date(86_400_000), left: 2n ** 60n })
      throw ctx.fault.renamed({ path: ['a', which] })
    },
    explode({ how }) {
      if (how === 'throw') throw new Error('the secret of the house')
      // oxlint-disable-next-line no-throw-literal
      if (how === 'string') throw 'a string with the secret of the house'
      if (how === 'shape') return { n: 'not a number' } as never
      return new Promise(() => undefined)
    },
    async wait({ id }, ctx) {
      const { entered, canceled, released } = of(id)
      const gaveUp = new Promise<void>((resolve) => {
        ctx.signal.addEventListener('abort', () => {
          canceled.resolve((ctx.signal.reason as CallError).code)
          resolve()
        })
      })
      entered.resolve()
      await Promise.race([released.promise, gaveUp])
    },
    metadata(_input, ctx) {
      const seen: Record<string, string[]> = {}
      for (const [name, value] of ctx.metadata) {
        if (!name.startsWith('x-')) continue
        seen[name] ??= []
        seen[name].push(typeof value === 'string' ? value : Buffer.from(value).toString('hex'))
      }
      ctx.reply.metadata.set('x-head', 'first').append('x-head', 'second')
      ctx.reply.metadata.set('x-head-bin', Uint8Array.of(0, 255))
      ctx.reply.trailers.set('x-trailer', 'last')
      return { seen }
    },
    deadline: (_input, ctx) => ({
      milliseconds: ctx.deadline === Infinity ? null : ctx.deadline - performance.now(),
    }),

    async *count({ to, failAt }, ctx) {
      ctx.reply.metadata.set('x-stream', 'yes')
      for (let n = 0; n < to; n++) {
        if (n === failAt) throw new CallError('data_loss', `at ${n}`)
        yield { n, text: `#${n}` }
      }
      ctx.reply.trailers.set('x-count', String(to))
    },
    async *endless({ size }) {
      const text = 'x'.repeat(size)
      try {
        for (let n = 0; ; n = (n + 1) | 0) {
          observed.yielded++
          yield { n, text }
        }
      } finally {
        observed.streamStopped.resolve()
      }
    },
    async sum(items) {
      let count = 0
      let sum = 0
      for await (const { n } of items) {
        observed.received++
        count++
        sum += n
      }
      return { count, sum }
    },
    async unread(items) {
      for await (const _item of items) {
        observed.received++
        break
      }
      return { read: observed.received }
    },
    async *transform(items) {
      for await (const { n, text } of items) {
        observed.received++
        yield { n: n * 2, text }
      }
    },
  })

  return { implementation, observed }
}
