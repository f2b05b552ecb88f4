import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { call, contract, implement } from 'trunkline'
import type * as z from 'zod'
import { type Carried, carriable } from '../arbitrary/zod.ts'
import { runs } from '../support/fuzz.ts'
import { Probe } from './contract.ts'
import { probe } from './probe.ts'
import { pair, rows } from './rows.ts'

/** Schemas of one run share a contract, so that a server is started once. */
const schemas = fc.sample(carriable(2), { numRuns: runs(40), seed: 20_261 })

function echoContract(carried: readonly Carried[]) {
  const operations = Object.fromEntries(
    carried.map(({ schema }, index) => [
      `echo${index}`,
      call({ input: schema as z.ZodType<unknown, unknown>, output: schema as z.ZodType<unknown, unknown> }),
    ]),
  )
  // The names are known at run time only, so TypeScript cannot rule out 'then' among them.
  return contract('test.values.v1', operations as { echo0: (typeof operations)[string] })
}

for (const row of rows) {
  test(`a value of any type arrives as it was sent, over ${row.name}`, async () => {
    const Values = echoContract(schemas)
    const handlers = Object.fromEntries(
      schemas.map((_, index) => [`echo${index}`, (value: unknown) => value]),
    )
    await using running = await pair(row, Values, implement(Values, handlers as never))
    const client = running.client as unknown as Record<string, (value: unknown) => Promise<unknown>>

    for (const [index, { schema, value }] of schemas.entries()) {
      for (const sample of fc.sample(value, { numRuns: 8, seed: index })) {
        const expected = schema.parse(sample)
        const received = await (client[`echo${index}`] as (value: unknown) => Promise<unknown>)(sample)
        assert.deepEqual(received, expected, `schema ${index}`)
      }
    }
  })

  test(`defaults are filled in and what was left out stays left out, over ${row.name}`, async () => {
    await using running = await pair(row, Probe, probe().implementation)
    assert.deepEqual(await running.client.defaults(), { name: 'nobody', times: null })
    assert.deepEqual(await running.client.defaults({ name: '', times: 0 }), { name: '', times: 0 })
  })

  test(`an invalid value is invalid_argument and names every field, over ${row.name}`, async () => {
    await using running = await pair(row, Probe, probe().implementation)
    await assert.rejects(running.client.bounded({ quantity: 0, even: 2 }), (error: any) => {
      assert.equal(error.code, 'invalid_argument')
      assert.deepEqual(
        error.issues.map(({ path }: { path: string }) => path),
        ['quantity'],
      )
      assert.match(error.message, /quantity: expected an integer ≥ 1, got 0/)
      return true
    })
    await assert.rejects(running.client.bounded({ quantity: 1, even: 3 }), (error: any) => {
      assert.equal(error.code, 'invalid_argument')
      assert.match(error.message, /even: must be even/)
      return true
    })
  })
}
