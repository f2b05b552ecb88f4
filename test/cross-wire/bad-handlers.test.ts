/** Filters and handlers that do what TypeScript forbids, or what only JavaScript can, harm only their own call. */
import assert from 'node:assert/strict'
import test from 'node:test'
import {
  CallError,
  type Filter,
  Metadata,
  call,
  connect,
  contract,
  fault,
  implement,
  stream,
} from 'trunkline'
import * as z from 'zod'
import { signal } from '../support/events.ts'
import { rememberingLog } from '../support/quiet-log.ts'
import { pair, rows } from './rows.ts'

const How = z.object({ how: z.string() })
const Bad = contract('test.bad.v1', {
  fail: call({ input: How, output: z.object({ n: z.int32() }) }),
  unfit: call({ faults: { short: fault('aborted', z.object({ left: z.int32() })) } }),
  unfitStream: call({
    output: stream(z.object({ n: z.int32() })),
    faults: { short: fault('aborted', z.object({ left: z.int32() })) },
  }),
  wordy: call({ input: How, output: z.object({ n: z.int32() }), faults: { dear: fault('aborted') } }),
  wordyStream: call({ input: How, output: stream(z.object({ n: z.int32() })) }),
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

/** More than the 32 KiB that a head may have, in one value, in many, and in bytes that only base64 makes too many. */
const wordy: Readonly<Record<string, ConstructorParameters<typeof Metadata>[0]>> = {
  one: { 'x-long': 'x'.repeat(40_000) },
  many: { 'x-many': Array.from({ length: 5_000 }, (_, n) => `${n}`) },
  bytes: { 'x-raw-bin': new Uint8Array(30_000) },
  nearly: { 'x-long': 'x'.repeat(32_700) },
  fits: { 'x-long': 'x'.repeat(30_000) },
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
    async *unfitStream(_input, ctx) {
      yield { n: 1 }
      throw ctx.fault.short({ left: 'a secret' as never })
    },
    wordy({ how }) {
      const metadata = new Metadata(wordy[how])
      throw new CallError('aborted', 'enough', {
        metadata,
        retryAfter: 5,
        fault: { name: 'dear', detail: undefined },
      })
    },
    async *wordyStream({ how }) {
      yield { n: 1 }
      throw new CallError('aborted', 'enough', { metadata: new Metadata(wordy[how]) })
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

  test(`a fault whose detail does not fit its schema is internal, and the log says where, over ${row.name}`, async () => {
    const log = rememberingLog()
    await using running = await pair(row, Bad, implementation, { serve: { log } })
    const { client } = running
    const streamed = async () => {
      for await (const { n } of client.unfitStream({ timeout: 5_000 })) assert.equal(n, 1)
    }

    for (const run of [() => client.unfit({ timeout: 5_000 }), streamed]) {
      const error = await run().then(
        () => assert.fail('it must fail'),
        (reason: unknown) => reason,
      )
      assert.ok(CallError.is(error), String(error))
      assert.equal(error.code, 'internal')
      assert.equal(error.fault, undefined)
      assert.doesNotMatch(error.message, /a secret/)
      const [, id] = /internal error ([0-9a-f-]{36})/.exec(error.message) ?? []
      const line = log.lines.find(({ fields }) => (fields as { id?: string }).id === id)
      assert.equal(line?.level, 'error')
      assert.match(line?.message ?? '', /fault 'short' .*left: expected/)
    }
  })

  test(`an error arrives without the metadata that no head has room for, and the log says so, over ${row.name}`, async () => {
    const log = rememberingLog()
    await using running = await pair(row, Bad, implementation, { serve: { log } })
    const { client } = running
    const streamed = async (how: string) => {
      for await (const { n } of client.wordyStream({ how }, { timeout: 5_000 })) assert.equal(n, 1)
    }

    for (const how of Object.keys(wordy)) {
      log.lines.length = 0
      const unary = () => client.wordy({ how }, { timeout: 5_000 })
      for (const run of [unary, () => streamed(how)]) {
        const error = await run().then(
          () => assert.fail('it must fail'),
          (reason: unknown) => reason,
        )
        failsWith('aborted')(error)
        assert.ok(CallError.is(error))
        assert.equal(error.message, 'enough')
        if (run === unary) assert.equal(error.metadata.has('x-long'), how === 'fits', how)
        assert.ok(!error.metadata.has('x-many') && !error.metadata.has('x-raw-bin'))
      }
      const warnings = log.lines.filter(({ message }) => /metadata of an error/.test(message))
      assert.equal(warnings.length, how === 'fits' ? 0 : 2, how)
    }
    assert.deepEqual(await client.thenable(), { n: 7 })
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
