import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { carriable } from '../../test/arbitrary/zod.ts'
import { tableBuilder } from './from-standard.ts'
import { declarationOrder } from './numbers.ts'

const numRuns = 3000 * Number(process.env.TRUNKLINE_FUZZ_RUNS ?? 1)

test('every carriable zod schema is read, and its model is plain JSON', () => {
  fc.assert(
    fc.property(carriable(), ({ schema }) => {
      const builder = tableBuilder(declarationOrder())
      const { slot } = builder.read(schema, 'Root', 'acme.test.v1/run input')
      const model = { slot, types: builder.types }

      assert.deepEqual(JSON.parse(JSON.stringify(model)), model)
      assert.deepEqual(structuredClone(model), model)
    }),
    { numRuns },
  )
})

test('reading a schema a second time gives the same model', () => {
  fc.assert(
    fc.property(carriable(2), ({ schema }) => {
      const builder = tableBuilder(declarationOrder())
      const first = builder.read(schema, 'Root', 'acme.test.v1/run input')
      const types = structuredClone(builder.types)
      const second = builder.read(schema, 'Root', 'acme.test.v1/run output')

      assert.deepEqual(second.slot, first.slot)
      assert.deepEqual(builder.types, types)
    }),
    { numRuns: numRuns / 10 },
  )
})
