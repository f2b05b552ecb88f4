/**
 * The JSON Schema (2020-12, as OpenAPI 3.1 embeds it) of what our own JSON dialect writes and reads. It says what the
 * codec does: where the codec reads more than it writes (integers of 64 bits, base64), the schema allows both.
 *
 * Lengths of strings are counted in UTF-16 units here and in code points by JSON Schema; bounds of moments and the
 * order of keys have no form in it.
 */
import { jsonName } from '../../schema/names.ts'
import type {
  Check,
  Field,
  IntType,
  Json,
  MapType,
  Named,
  ObjectType,
  Slot,
  Type,
  Types,
  UnionType,
} from '../../schema/type.ts'
import { integerRange } from './integer.ts'
import { integerPattern } from './integer-pattern.ts'

export type JsonSchema = { [keyword: string]: Json | JsonSchema | readonly JsonSchema[] }

/** What the schemas of a document share. */
export interface JsonSchemaOptions {
  readonly types: Types
  /** The reference to a named type: `#/components/schemas/Order`. */
  readonly refer: (name: string) => string
}

/** The schema of a place that holds a value. */
export function slotSchema(slot: Slot, options: JsonSchemaOptions): JsonSchema {
  const schema = typeSchema(slot.type, options)
  if (slot.nullable !== true) return schema

  if (typeof schema['type'] === 'string' && schema['enum'] === undefined && schema['const'] === undefined) {
    return { ...schema, type: [schema['type'], 'null'] }
  }
  if (Object.keys(schema).length === 0) return schema
  return { anyOf: [schema, { type: 'null' }] }
}

/** The schema of a field, with what is said about it. */
export function fieldSchema(field: Field, options: JsonSchemaOptions): JsonSchema {
  const schema = slotSchema(field, options)
  if (field.doc !== undefined) schema['description'] = field.doc
  if (field.deprecated === true) schema['deprecated'] = true
  if (field.default !== undefined) schema['default'] = field.default
  if (field.examples !== undefined && field.examples.length > 0) schema['examples'] = field.examples
  return schema
}

/** The schema of a named type. */
export function namedSchema(named: Named, options: JsonSchemaOptions): JsonSchema {
  const schema =
    named.kind === 'object'
      ? objectSchema(named, named.fields, options)
      : named.kind === 'enum'
        ? constants(named.values.map(({ value }) => value))
        : unionSchema(named, options)
  if (named.doc !== undefined) schema['description'] = named.doc
  if (named.deprecated === true) schema['deprecated'] = true
  return schema
}

/** The schema of an object of some of its fields. */
export function objectSchema(
  { unknown }: ObjectType,
  fields: readonly Field[],
  options: JsonSchemaOptions,
): JsonSchema {
  const schema: JsonSchema = { type: 'object' }
  const required = fields.filter(({ optional, default: value }) => optional !== true && value === undefined)
  if (fields.length > 0) {
    schema['properties'] = Object.fromEntries(
      fields.map((field) => [jsonName(field), fieldSchema(field, options)]),
    )
  }
  if (required.length > 0) schema['required'] = required.map(jsonName)
  if (unknown === 'refuse') schema['additionalProperties'] = false
  return schema
}

function typeSchema(type: Type, options: JsonSchemaOptions): JsonSchema {
  switch (type.kind) {
    case 'string':
      return {
        type: 'string',
        ...(type.format === undefined ? {} : { format: type.format }),
        ...lengths(type.checks, 'minLength', 'maxLength'),
        ...patterns(type.checks),
      }
    case 'int':
      return type.js === 'bigint' ? bigintSchema(type) : integerSchema(type)
    case 'float': {
      const number = { type: 'number', format: type.bits === 32 ? 'float' : 'double', ...bounds(type.checks) }
      return type.nonFinite === true
        ? { anyOf: [number, { enum: ['NaN', 'Infinity', '-Infinity'] }] }
        : number
    }
    case 'bool':
      return { type: 'boolean' }
    case 'bytes':
      return {
        type: 'string',
        contentEncoding: 'base64',
        pattern: base64Pattern,
        ...base64Lengths(type.checks),
      }
    case 'instant':
      return { type: 'string', format: 'date-time' }
    case 'json':
      return {}
    case 'literal':
      return constants(type.values)
    case 'list':
      return {
        type: 'array',
        items: slotSchema(type.of, options),
        ...lengths(type.checks, 'minItems', 'maxItems'),
        ...(type.js === 'set' ? { uniqueItems: true } : {}),
      }
    case 'tuple':
      return {
        type: 'array',
        prefixItems: type.items.map((item) => slotSchema(item, options)),
        minItems: type.items.length,
        ...(type.rest === undefined
          ? { maxItems: type.items.length }
          : { items: slotSchema(type.rest, options) }),
      }
    case 'map':
      return mapSchema(type, options)
    case 'ref':
      return { $ref: options.refer(type.to) }
  }
}

function constants(values: readonly (string | number | boolean)[]): JsonSchema {
  const kind = typeof values[0]
  const type = kind === 'number' ? (values.every(Number.isInteger) ? 'integer' : 'number') : kind
  return values.length === 1 ? { type, const: values[0] as Json } : { type, enum: [...values] }
}

function integerSchema(type: IntType): JsonSchema {
  const { least, most } = integerRange(type)
  const format = `${type.signed ? '' : 'u'}int${type.bits}`
  return { type: 'integer', format, minimum: Number(least), maximum: Number(most), ...bounds(type.checks) }
}

/** Written as text, and read from text or an integer. */
function bigintSchema(type: IntType): JsonSchema {
  const range = integerRange(type)
  let { least, most } = range
  for (const check of type.checks ?? []) {
    if (check.check === 'min') least = largest(least, BigInt(check.value) + (check.exclusive ? 1n : 0n))
    if (check.check === 'max') most = smallest(most, BigInt(check.value) - (check.exclusive ? 1n : 0n))
  }

  // Bounds beyond what a JSON number holds exactly would be rounded; the pattern is exact.
  const safe = least >= Number.MIN_SAFE_INTEGER && most <= Number.MAX_SAFE_INTEGER
  return {
    type: ['string', 'integer'],
    format: type.signed ? 'int64' : 'uint64',
    pattern: integerPattern(least, most),
    minimum: Number(safe ? least : largest(least, BigInt(Number.MIN_SAFE_INTEGER))),
    maximum: Number(safe ? most : smallest(most, BigInt(Number.MAX_SAFE_INTEGER))),
  }
}

function largest(one: bigint, other: bigint): bigint {
  return one > other ? one : other
}

function smallest(one: bigint, other: bigint): bigint {
  return one < other ? one : other
}

function bounds(checks: readonly Check[] | undefined): JsonSchema {
  const schema: JsonSchema = {}
  for (const check of checks ?? []) {
    if (check.check === 'min') schema[check.exclusive ? 'exclusiveMinimum' : 'minimum'] = Number(check.value)
    if (check.check === 'max') schema[check.exclusive ? 'exclusiveMaximum' : 'maximum'] = Number(check.value)
    if (check.check === 'multipleOf') schema['multipleOf'] = Number(check.value)
  }
  return schema
}

function lengths(checks: readonly Check[] | undefined, least: string, most: string): JsonSchema {
  const schema: JsonSchema = {}
  for (const check of checks ?? []) {
    if (check.check === 'minLength') schema[least] = Number(check.value)
    if (check.check === 'maxLength') schema[most] = Number(check.value)
  }
  return schema
}

/** One is a keyword; more of them are all of a list. Flags other than `u` have no form in JSON Schema. */
function patterns(checks: readonly Check[] | undefined): JsonSchema {
  const sources: string[] = []
  for (const check of checks ?? []) {
    if (check.check === 'pattern' && /^[gu]*$/.test(check.flags)) sources.push(check.source)
  }
  if (sources.length === 0) return {}
  if (sources.length === 1) return { pattern: sources[0] as string }
  return { allOf: sources.map((pattern) => ({ pattern })) }
}

/** Either alphabet, with padding or without. */
const base64Pattern = '^(?:[A-Za-z0-9+/_-]{4})*(?:[A-Za-z0-9+/_-]{2}(?:==)?|[A-Za-z0-9+/_-]{3}=?)?$'

function base64Lengths(checks: readonly Check[] | undefined): JsonSchema {
  const { minLength, maxLength } = lengths(checks, 'minLength', 'maxLength')
  return {
    ...(minLength === undefined ? {} : { minLength: Math.ceil((Number(minLength) * 4) / 3) }),
    ...(maxLength === undefined ? {} : { maxLength: Math.ceil(Number(maxLength) / 3) * 4 }),
  }
}

function mapSchema(type: MapType, options: JsonSchemaOptions): JsonSchema {
  const keys = keySchema(type.key, options)
  return {
    type: 'object',
    additionalProperties: slotSchema(type.of, options),
    ...(keys === undefined ? {} : { propertyNames: keys }),
    ...(type.keys === undefined || type.keys.length === 0 ? {} : { required: type.keys }),
    ...lengths(type.checks, 'minProperties', 'maxProperties'),
  }
}

/** Keys are text in JSON, whatever they stand for; `undefined` when any text is a key. */
function keySchema(key: Type, { types }: JsonSchemaOptions): JsonSchema | undefined {
  if (key.kind === 'int') {
    const { least, most } = integerRange(key)
    return { pattern: integerPattern(least, most) }
  }
  if (key.kind === 'bool') return { enum: ['true', 'false'] }
  if (key.kind === 'literal') return { enum: key.values.map(String) }
  if (key.kind === 'ref') {
    const named = types[key.to]
    return named?.kind === 'enum' ? { enum: named.values.map(({ value }) => String(value)) } : undefined
  }
  if (key.kind !== 'string') return undefined
  const schema = { ...lengths(key.checks, 'minLength', 'maxLength'), ...patterns(key.checks) }
  return Object.keys(schema).length === 0 ? undefined : schema
}

function unionSchema({ by, variants }: UnionType, { types, refer }: JsonSchemaOptions): JsonSchema {
  const schema: JsonSchema = { oneOf: variants.map(({ to }) => ({ $ref: refer(to) })) }
  if (!variants.every(({ tag }) => typeof tag === 'string')) return schema

  const object = types[variants[0]?.to ?? '']
  const field = object?.kind === 'object' ? object.fields.find(({ name }) => name === by) : undefined
  const mapping = Object.fromEntries(variants.map(({ tag, to }) => [String(tag), refer(to)]))
  schema['discriminator'] = { propertyName: field === undefined ? by : jsonName(field), mapping }
  return schema
}
