import assert from 'node:assert/strict'
import test from 'node:test'
import { CallError, call, connect, contract, implement, isFault, serve, stream } from 'trunkline'
import * as z from 'zod'
import { quiet, rememberingLog } from '../support/quiet-log.ts'
import { Probe, codes } from './contract.ts'
import { probe } from './probe.ts'
import { pair, rows } from './rows.ts'

const caught = async (promise: Promise<unknown>): Promise<CallError> => {
  try {
    await promise
  } catch (error) {
    if (CallError.is(error)) return error
    throw error
  }
  throw new Error('the call should have failed')
}

for (const row of rows) {
  test(`each status code and its message arrive, over ${row.name}`, async () => {
    await using running = await pair(row, Probe, probe().implementation)
    for (const code of codes) {
      const error = await caught(running.client.fail({ code, message: `café ${code} %` }))
      assert.equal(error.code, code)
      assert.equal(error.message, `café ${code} %`)
      assert.equal(error.origin, 'downstream')
    }
  })

  test(`each declared fault arrives with its typed detail, over ${row.name}`, async () => {
    await using running = await pair(row, Probe, probe().implementation)
    const plain = await caught(running.client.faults({ which: 'plain' }))
    assert.ok(isFault(plain, Probe.faults, 'plain'))
    assert.equal(plain.message, 'a plain one')
    assert.equal(plain.code, 'aborted')

    const detailed = await caught(running.client.faults({ which: 'detailed' }))
    assert.ok(isFault(detailed, Probe.faults, 'detailed'))
    assert.deepEqual(detailed.fault.detail, { at: new Date(86_400_000), left: 2n ** 60n })

    const renamed = await caught(running.client.faults({ which: 'b' }))
    assert.ok(isFault(renamed, Probe.faults, 'renamed'))
    assert.deepEqual(renamed.fault.detail.path, ['a', 'b'])
    assert.ok(!isFault(renamed, Probe.faults, 'plain'))
  })

  test(`an exception is internal, with an id and nothing of its text, over ${row.name}`, async () => {
    const log = rememberingLog()
    await using running = await pair(row, Probe, probe().implementation, { serve: { log } })

    for (const how of ['throw', 'string', 'shape'] as const) {
      const error = await caught(running.client.explode({ how }))
      assert.equal(error.code, 'internal', how)
      assert.doesNotMatch(`${error.message}${JSON.stringify(error.issues)}`, /secret|not a number/)
      const [, id] = /internal error ([0-9a-f-]{36})/.exec(error.message) ?? []
      const line = log.lines.find(({ fields }) => (fields as { id?: string }).id === id)
      assert.equal(line?.level, 'error', `${how} is logged under its id`)
      if (how === 'shape') assert.match(JSON.stringify(line), /"path":"n"/)
    }

    assert.deepEqual(await running.client.echo({ n: 1, text: 'unharmed' }), { n: 1, text: 'unharmed' })
  })

  test(`a downstream error that nobody caught is not passed on as the handler's own, over ${row.name}`, async () => {
    const Front = contract('test.front.v1', { ask: call({ input: z.object({ code: z.enum(codes) }) }) })
    await using back = await serve(probe().implementation, { port: 0, log: quiet })
    await using down = connect(Probe, back)
    const log = rememberingLog()
    const front = implement(Front, {
      async ask({ code }) {
        await down.fail({ code, message: 'the secret of the house' })
      },
    })
    await using running = await pair(row, Front, front, { serve: { log } })

    const expected = {
      unavailable: 'unavailable',
      resource_exhausted: 'unavailable',
      not_found: 'internal',
      unauthenticated: 'internal',
    }
    for (const [code, outward] of Object.entries(expected)) {
      const error = await caught(running.client.ask({ code: code as 'not_found' }))
      assert.equal(error.code, outward)
      assert.doesNotMatch(error.message, /secret/)
      assert.match(
        JSON.stringify(log.lines.map(({ fields }) => String((fields as { err?: Error }).err?.message))),
        /secret/,
      )
    }
  })

  test(`a downstream error in mid-stream is not passed on as the handler's own, over ${row.name}`, async () => {
    const Front = contract('test.front.v1', { list: call({ output: stream(z.object({ n: z.int32() })) }) })
    await using back = await serve(probe().implementation, { port: 0, log: quiet })
    await using down = connect(Probe, back)
    const front = implement(Front, {
      async *list() {
        yield { n: 1 }
        await down.fail({ code: 'not_found', message: 'the secret of the house' })
      },
    })
    await using running = await pair(row, Front, front)
    const received: number[] = []
    const error = await caught(
      (async () => {
        for await (const { n } of running.client.list()) received.push(n)
      })(),
    )
    assert.deepEqual(received, [1])
    assert.equal(error.code, 'internal')
    assert.doesNotMatch(error.message, /secret/)
  })

  test(`scopes are held before the input is decoded, over ${row.name}`, async () => {
    const Guarded = contract('test.guarded.v1', {
      open: call({ output: z.object({ who: z.string() }) }),
      write: call({
        input: z.object({ n: z.int32().min(1) }),
        output: z.object({ who: z.string() }),
        scopes: ['write'],
      }),
    })
    const implementation = implement(Guarded, {
      open: (_input, ctx) => ({ who: ctx.principal?.id ?? 'nobody' }),
      write: (_input, ctx) => ({ who: ctx.principal?.id ?? 'nobody' }),
    })
    await using running = await pair(row, Guarded, implementation, {
      serve: {
        authenticate({ metadata }) {
          const token = metadata.text('authorization')
          if (token === undefined) return undefined
          if (token === 'Bearer bad') throw new CallError('unauthenticated', 'unknown token')
          return { id: token.slice(7), scopes: token === 'Bearer writer' ? ['write'] : [] }
        },
      },
    })
    const as = (token: string) => ({ metadata: { authorization: `Bearer ${token}` } })
    const invalid = { n: 0 }

    assert.deepEqual(await running.client.open(), { who: 'nobody' })
    assert.equal((await caught(running.client.write(invalid))).code, 'unauthenticated')
    assert.equal((await caught(running.client.write(invalid, as('bad')))).code, 'unauthenticated')
    assert.equal((await caught(running.client.write(invalid, as('reader')))).code, 'permission_denied')
    assert.equal((await caught(running.client.write(invalid, as('writer')))).code, 'invalid_argument')
    assert.deepEqual(await running.client.write({ n: 1 }, as('writer')), { who: 'writer' })
  })
}
