import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { carriableWithValue } from './zod.ts'

const numRuns = 500 * Number(process.env.TRUNKLINE_FUZZ_RUNS ?? 1)

test('every generated value is valid input of its schema', () => {
  fc.assert(
    fc.property(carriableWithValue(), ({ schema, value }) => {
      assert.equal(schema.safeParse(value).error?.message, undefined)
    }),
    { numRuns },
  )
})
