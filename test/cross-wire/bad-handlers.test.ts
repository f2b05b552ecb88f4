/** Filters and handlers that do what TypeScript forbids, or what only JavaScript can, harm only their own call. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { CallError, type Filter, call, connect, contract, fault, implement } from 'trunkline'
import * as z from 'zod'
import { signal } from '../support/events.ts'
import { pair, rows } from './rows.ts'

const How = z.object({ how: z.string() })
const Bad = contract('test.bad.v1', {
  fail: call({ input: How, output: z.object({ n: z.int32() }) }),
  unfit: call({ faults: { short: fault('aborted', z.object({ left: z.int32() })) } }),
  thenable: call({ output: z.object({ n: z.int32() }) }),
  limited: call({ input: z.object({ n: z.int32().max(5) }), output: z.object({ n: z.int32() }) }),
})

const unsendable: Readonly<Record<string, () => unknown>> = {
  'an unknown code': () => new CallError('nonsense' as never, 'x'),
  'a code that every object has': () => new CallError('constructor' as never, 'x'),
  'a message that is no text': () => Object.assign(new CallError('aborted', 'x'), { message: 12 }),
  'issues that are no texts': () =>
    new CallError('aborted', 'x', { issues: [{ path: 1n as never, message: 'y' }] }),
  'a Proxy that was revoked': () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  },
  nothing: () => undefined,
}

const tidied: Readonly<Record<string, CallError>> = {
  'an informational status': new CallError('aborted', 'x', { http: 100 }),
  'a status of success': new CallError('aborted', 'x', { http: 204 }),
  'a status that is none': new CallError('aborted', 'x', { http: Number.NaN }),
  'a time that is none': new CallError('aborted', 'x', { retryAfter: Number.NaN }),
  'a time without end': new CallError('aborted', 'x', { retryAfter: Infinity }),
  'a message of 1 MiB': new CallError('aborted', 'x'.repeat(1 << 20)),
}

const forgetful: Filter = (next) => (call) => {
  const { how } = (call.operation.name === 'fail' ? call.input() : {}) as { how?: string }
  if (how === 'no reply') return undefined as never
  if (how === 'a promise of no reply') return Promise.resolve(null) as never
  return next(call)
}

/** Looks at the input before the handler does, and goes on whatever it sees. */
const curious: Filter = (next) => async (call) => {
  try {
    await call.input()
  } catch {
    // The handler's read must fail as well.
  }
  return next(call)
}

const seen: unknown[] = []
const implementation = implement(
  Bad,
  {
    fail({ how }) {
      throw tidied[how] ?? unsendable[how]?.()
    },
    // oxlint-disable-next-line unicorn/no-thenable
    thenable: () => ({ then: (resolve: (value: unknown) => void) => resolve({ n: 7 }) }) as never,
    unfit(_input, ctx) {
      throw ctx.fault.short({ left: 'a secret' as never })
    },
    limited(input) {
      seen.push(input)
      return { n: 1 }
    },
  },
  { operations: { fail: { filters: [forgetful] }, limited: { filters: [curious] } } },
)

const failsWith = (code: string) => (error: unknown) => {
  assert.ok(CallError.is(error), String(error))
  assert.equal(error.code, code, error.message)
  return true
}

for (const row of rows) {
  test(`what cannot be sent is internal, and nobody else notices, over ${row.name}`, async () => {
    await using running = await pair(row, Bad, implementation)
    for (const how of [...Object.keys(unsendable), 'no reply', 'a promise of no reply']) {
      await assert.rejects(running.client.fail({ how }, { timeout: 5_000 }), failsWith('internal'), how)
    }
    assert.deepEqual(await running.client.thenable(), { n: 7 })
  })

  test(`the detail of a fault that does not fit its schema stays here, over ${row.name}`, async () => {
    await using running = await pair(row, Bad, implementation)
    await assert.rejects(running.client.unfit({ timeout: 5_000 }), (error: unknown) => {
      assert.ok(CallError.is(error), String(error))
      assert.equal(error.fault, undefined)
      assert.doesNotMatch(error.message, /a secret/)
      return true
    })
  })

  test(`an error keeps its code when only what goes with it cannot be sent, over ${row.name}`, async () => {
    await using running = await pair(row, Bad, implementation)
    for (const how of Object.keys(tidied)) {
      await assert.rejects(running.client.fail({ how }, { timeout: 5_000 }), failsWith('aborted'), how)
    }
  })
}

for (const row of rows) {
  test(`an invalid input that a filter has seen is not read as none by the handler, over ${row.name}`, async () => {
    await using running = await pair(row, Bad, implementation)
    const Loose = contract('test.bad.v1', {
      limited: call({ input: z.object({ n: z.int32() }), output: z.object({ n: z.int32() }) }),
    })
    const loose = connect(Loose, running.target, row.tls ? { tls: { rejectUnauthorized: false } } : {})
    await assert.rejects(loose.limited({ n: 6 }), (error: unknown) => CallError.is(error))
    assert.deepEqual(seen, [])
    await loose[Symbol.asyncDispose]()
  })
}

for (const row of rows) {
  test(`a client's filter that gives up beside an open call cancels it, over ${row.name}`, async () => {
    const Wait = contract('test.wait.v1', { wait: call({}) })
    const entered = signal()
    const told = signal()
    const waiting = implement(Wait, {
      async wait(_input, ctx) {
        ctx.signal.addEventListener('abort', () => told.resolve())
        entered.resolve()
        await told.promise
      },
    })
    const impatient: Filter = (next) => (call) => {
      const gaveUp = entered.promise.then(() => Promise.reject(new CallError('aborted', 'enough')))
      return Promise.race([next(call), gaveUp])
    }
    await using running = await pair(row, Wait, waiting, { connect: { filters: { call: [impatient] } } })
    await assert.rejects(running.client.wait({ timeout: 60_000 }), failsWith('aborted'))
    await told.promise
  })
}
