/** What only the schema library can check or change runs at the end, and nothing else does. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import * as newest from 'zod'
import * as lowest from 'zod-lowest'
import { tableBuilder } from './from-standard.ts'
import { Invalid, maximumIssues } from './invalid.ts'
import { declarationOrder } from './numbers.ts'

const refineOf = (schema: StandardSchemaV1) =>
  tableBuilder(declarationOrder()).read(schema, 'Root', 'acme.orders.v1/place input').refine

for (const [release, z] of [
  ['newest', newest],
  ['lowest', lowest as unknown as typeof newest],
] as const) {
  describe(`zod ${release}`, () => {
    test('declared checks need no zod', () => {
      const schema = z.object({
        a: z.string().min(1).regex(/x/),
        b: z.int32().min(1),
        c: z.array(z.email()).max(3),
        d: z.date().optional(),
        e: z.record(z.string(), z.instanceof(Uint8Array)),
      })

      assert.equal(refineOf(schema), undefined)
    })

    test('refinements and changes are found at any depth', () => {
      const checked = z.string().refine((value) => value !== 'x')
      const schemas = [
        checked,
        z.string().superRefine(() => {}),
        z.string().check(() => {}),
        z.string().trim(),
        z.string().toLowerCase(),
        z.string().overwrite((value) => value),
        z
          .string()
          .optional()
          .refine(() => true),
        z.object({ a: checked }),
        z.object({}).refine(() => true),
        z.array(checked),
        z.array(z.string()).refine(() => true),
        z.set(checked),
        z.tuple([checked]),
        z.tuple([z.string()], checked),
        z.map(checked, z.string()),
        z.record(z.string(), checked),
        z.lazy(() => checked),
        checked.nullable(),
        z.object({ a: checked.default('a') }),
        z.discriminatedUnion('t', [z.object({ t: z.literal('a'), a: checked })]),
        z.union([checked, z.null()]),
        z.enum(['a', 'b']).refine(() => true),
        z.boolean().refine(() => true),
        z.date().refine(() => true),
      ]

      for (const schema of schemas)
        assert.notEqual(refineOf(z.object({ x: schema as newest.ZodType })), undefined)
    })

    test('a type that is met again still needs zod', () => {
      const builder = tableBuilder(declarationOrder())
      const Line = z.object({ sku: z.string().trim() }).meta({ id: `Trimmed${release}` })

      assert.notEqual(builder.read(Line, 'A', 'x/a input').refine, undefined)
      assert.notEqual(builder.read(z.array(Line), 'B', 'x/b input').refine, undefined)
    })

    test('the value to use is what zod returns', () => {
      const refine = refineOf(z.object({ name: z.string().trim().toLowerCase() }))

      assert.deepEqual(refine?.({ name: ' ADA ' }), { name: 'ada' })
    })

    test('what zod refuses is Invalid, with the paths of its issues', () => {
      const refine = refineOf(
        z
          .object({ lines: z.array(z.object({ 'unit price': z.number(), quantity: z.int32() })) })
          .check((context) => {
            context.issues.push({
              code: 'custom',
              message: 'expected an even number',
              input: context.value,
              path: ['lines', 2, 'quantity'],
            })
            context.issues.push({
              code: 'custom',
              message: 'expected less',
              input: context.value,
              path: ['lines', 0, 'unit price'],
            })
          }),
      )

      assert.throws(
        () => refine?.({ lines: [] }),
        (error) => {
          assert.ok(error instanceof Invalid)
          assert.deepEqual(error.issues, [
            { path: 'lines[2].quantity', message: 'expected an even number' },
            { path: 'lines[0]["unit price"]', message: 'expected less' },
          ])

          return true
        },
      )
    })

    test('an asynchronous refinement is a promise of the value or of Invalid', async () => {
      const refine = refineOf(z.string().refine(async (value) => value === 'good'))

      assert.equal(await refine?.('good'), 'good')
      await assert.rejects(async () => refine?.('bad'), Invalid)
    })
  })
}

test('only so many issues are kept', () => {
  const refine = refineOf(newest.array(newest.string().refine(() => false)))

  assert.throws(
    () => refine?.(Array.from({ length: 500 }, () => 'x')),
    (error) => error instanceof Invalid && error.issues.length === maximumIssues,
  )
})
