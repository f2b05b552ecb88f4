/** The part of JSON Schema 2020-12 that is read, and what is asked of a library that has Standard JSON Schema. */
import { structurallyEqual } from './equal.ts'
import type { Place } from './place.ts'
import { Undeclarable } from './undeclarable.ts'

export interface JsonSchema {
  readonly $ref?: string
  readonly $defs?: Readonly<Record<string, JsonSchema>>
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly allOf?: readonly JsonSchema[]
  readonly not?: JsonSchema
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | JsonSchema
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>
  readonly propertyNames?: JsonSchema
  readonly minProperties?: number
  readonly maxProperties?: number
  readonly items?: boolean | JsonSchema
  readonly prefixItems?: readonly JsonSchema[]
  readonly minItems?: number
  readonly maxItems?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly format?: string
  readonly contentEncoding?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
  readonly multipleOf?: number
  readonly default?: unknown
}

type Convert = (options: { readonly target: string }) => unknown

interface Describes {
  readonly '~standard': {
    readonly vendor: string
    readonly jsonSchema: { readonly input: Convert; readonly output: Convert }
  }
}

/** Standard JSON Schema (@standard-schema/spec 1.1). */
export function describesItself(schema: object): schema is Describes {
  const standard = (schema as { readonly '~standard'?: Partial<Describes['~standard']> })['~standard']

  return typeof standard?.jsonSchema?.input === 'function' && typeof standard.jsonSchema.output === 'function'
}

/** The one JSON Schema of input and output; refused when they differ, or when the library cannot make one. */
export function jsonSchemaOf(schema: Describes, place: Place): JsonSchema {
  const { vendor, jsonSchema } = schema['~standard']
  const input = convert(() => jsonSchema.input({ target: 'draft-2020-12' }), vendor, place)
  const output = convert(() => jsonSchema.output({ target: 'draft-2020-12' }), vendor, place)

  if (structurallyEqual(comparable(input), comparable(output))) return input

  throw new Undeclarable(
    'schema_transforms',
    place,
    `input and output of this ${vendor} schema differ, and a transform cannot be carried; ` +
      'declare the type that travels and convert in the handler',
  )
}

function convert(make: () => unknown, vendor: string, place: Place): JsonSchema {
  let made: unknown

  try {
    made = make()
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/\.$/, '') : String(error)

    throw new Undeclarable(
      'schema_kind',
      place,
      `${vendor} cannot describe this schema as JSON Schema, so it cannot be carried: ${reason}; ` +
        'use types that JSON Schema has, or zod 4 for dates, bigints, bytes, maps and sets',
    )
  }

  if (typeof made === 'object' && made !== null) return made as JsonSchema

  throw new Undeclarable('schema_library', place, `${vendor} describes this schema as ${typeof made}`)
}

/** A field with a default is optional on one side only, and undeclared keys are gone on the other: neither is a transform. */
function comparable(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(comparable)
  if (typeof schema !== 'object' || schema === null) return schema

  const entries = Object.entries(schema)
    .filter(([key, value]) => !(key === 'required' && Array.isArray(value)))
    .filter(([key, value]) => !(key === 'additionalProperties' && value === false))
    .filter(([key]) => key !== 'default')
    .map(([key, value]) => [key, comparable(value)] as const)

  return Object.fromEntries(entries)
}
