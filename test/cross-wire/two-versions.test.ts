/** Each side of a call validates with its own version of the contract: the server what comes in, the client what comes back. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { CallError, call, connect, contract, implement, stream } from 'trunkline'
import * as z from 'zod'
import { quiet } from '../support/quiet-log.ts'
import { pair, rows } from './rows.ts'

const Numbers = contract('test.numbers.v1', {
  twice: call({
    input: z.object({ n: z.int32().max(5), by: z.string().default('the server') }),
    output: z.object({ n: z.int32(), by: z.string() }),
  }),
  list: call({
    input: z.object({ n: z.int32().refine((n) => n !== 3, 'must not be three') }),
    output: stream(z.object({ n: z.int32() })),
  }),
})

/** What a client has that was built before, or elsewhere. */
const Theirs = contract('test.numbers.v1', {
  twice: call({
    input: z.object({ n: z.int32(), by: z.string().default('the server') }),
    output: z.object({ n: z.int32().refine((n) => n < 8, 'must be less than eight'), by: z.string() }),
  }),
  list: call({
    input: z.object({ n: z.int32() }),
    output: stream(z.object({ n: z.int32().refine((n) => n < 2, 'must be less than two') })),
  }),
})

const failsWith = (code: string, message: RegExp) => (error: unknown) => {
  assert.ok(CallError.is(error), String(error))
  assert.equal(error.code, code, error.message)
  assert.match(error.message, message)
  return true
}

for (const row of rows) {
  test(`a server holds inputs to its own contract, a client outputs to its own, over ${row.name}`, async () => {
    const seen: number[] = []
    const implementation = implement(Numbers, {
      twice({ n, by }) {
        seen.push(n)
        return { n: n * 2, by }
      },
      async *list({ n }) {
        seen.push(n)
        for (let i = 0; i < n; i++) yield { n: i }
      },
    })
    await using running = await pair(row, Numbers, implementation)
    await using client = connect(Theirs, running.target, {
      log: quiet,
      ...(row.tls ? { tls: { rejectUnauthorized: false } } : {}),
    })

    assert.deepEqual(await client.twice({ n: 3 }), { n: 6, by: 'the server' })
    await assert.rejects(client.twice({ n: 6 }), failsWith('invalid_argument', /n: expected .* ≤ 5, got 6/))
    await assert.rejects(client.twice({ n: 4 }), failsWith('internal', /does not fit .*less than eight/s))
    assert.deepEqual(seen, [3, 4])

    const received: number[] = []
    const read = async (n: number) => {
      for await (const each of client.list({ n })) received.push(each.n)
    }
    await assert.rejects(read(3), failsWith('invalid_argument', /must not be three/))
    await assert.rejects(read(4), failsWith('internal', /does not fit .*less than two/s))
    assert.deepEqual(received, [0, 1])
    assert.deepEqual(seen, [3, 4, 4])
  })
}
