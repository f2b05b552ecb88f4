/** What zod has and the wires have not: why, and what to use instead. docs/types.md shows it. */
import type { Place } from './place.ts'
import { Undeclarable, type UndeclarableCode } from './undeclarable.ts'
import type { ZodDef } from './zod-def.ts'

export function refuse(code: UndeclarableCode, place: Place, message: string): Undeclarable {
  return new Undeclarable(code, place, message)
}

/** Kinds without a form on the wires, and what to use instead. */
const refusedKinds: Readonly<Record<string, readonly [code: UndeclarableCode, message: string]>> = {
  pipe: [
    'schema_transforms',
    'z.transform(), z.pipe(), z.preprocess(), z.codec() and z.stringbool() cannot be carried, since the output is no ' +
      'longer the input; declare the type that travels and convert in the handler (.trim(), .toLowerCase() and .refine() are fine)',
  ],
  transform: [
    'schema_transforms',
    'z.transform() cannot be carried, since the output is no longer the input; declare the type that travels and convert in the handler',
  ],
  catch: [
    'schema_transforms',
    '.catch() cannot be carried, since it hides what the other side got wrong; use .default() for a value that may be left out',
  ],
  success: [
    'schema_transforms',
    'z.success() cannot be carried, since its output is not its input; use z.boolean()',
  ],
  any: ['schema_kind', 'z.any() says nothing about the value; use z.json() for any JSON value'],
  unknown: ['schema_kind', 'z.unknown() says nothing about the value; use z.json() for any JSON value'],
  never: ['schema_kind', 'z.never() can hold nothing; leave the field out'],
  void: ['schema_kind', 'z.void() is no value to carry; leave input or output out'],
  undefined: ['schema_kind', 'z.undefined() is no value to carry; leave the field out, or use .optional()'],
  null: ['schema_kind', 'z.null() alone is no value to carry; use .nullable() on the type that may be null'],
  nan: ['schema_kind', 'z.nan() cannot be carried by JSON; use .nullable() for a number that may be missing'],
  symbol: ['schema_kind', 'z.symbol() means nothing on the other side; use z.enum()'],
  function: ['schema_kind', 'z.function() cannot be carried; declare an operation'],
  promise: ['schema_kind', 'z.promise() cannot be carried; declare the type that it resolves to'],
  file: [
    'schema_kind',
    'z.file() has no form on the wires; use z.instanceof(Uint8Array), or an object with name and bytes',
  ],
  intersection: [
    'schema_kind',
    'z.intersection() has no form on the wires; use a.extend(b.shape) to make one object',
  ],
  template_literal: ['schema_kind', 'z.templateLiteral() has no form on the wires; use z.string().regex(…)'],
}

/** A kind without a form on the wires. */
export function refuseKind(def: ZodDef, place: Place): Undeclarable {
  const [code, message] = refusedKinds[def.type] ?? [
    'schema_kind' as const,
    `z.${def.type}() has no form on the wires; docs/types.md lists what has one`,
  ]

  return refuse(code, place, message)
}
