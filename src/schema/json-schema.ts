/**
 * JSON Schema 2020-12 → Type model, for every library with Standard JSON Schema (Valibot, ArkType, …). A table of
 * kinds, hence its length. JSON Schema says less than the library knows, so the library's own `validate` always runs on
 * what was decoded; what it leaves open (`{}`) is refused, never guessed.
 */
import { defaultToJson, NoJsonForm } from './default.ts'
import type { JsonSchema } from './json-schema-def.ts'
import { documentation, type FieldMeta, fieldMeta, type Meta, readMeta } from './meta.ts'
import { enumType, objectType, refuseFieldName, unionType, variantNames } from './named.ts'
import { pascalCase, upperSnakeCase } from './names.ts'
import { below, fieldPlace, type Place } from './place.ts'
import type { Table } from './table.ts'
import type { Check, Field, IntType, Json, LiteralType, Slot, StringType, Type, Variant } from './type.ts'
import { Undeclarable } from './undeclarable.ts'
import { exact, withChecks } from './zod-checks.ts'

/** Where the reader stands: the document, for `$ref`, and the definitions that it is inside of. */
interface Inside {
  readonly table: Table
  readonly document: JsonSchema
  readonly ancestors: ReadonlyMap<JsonSchema, string>
}

interface Read {
  readonly slot: Slot
  readonly meta: FieldMeta
}

export function readJsonSchema(document: JsonSchema, table: Table, place: Place): Slot {
  return read(document, { table, document, ancestors: new Map() }, place).slot
}

function read(schema: JsonSchema, inside: Inside, place: Place): Read {
  inside.table.spend(place)

  const { target, nullable } = unwrap(schema, inside.document, place)
  const outer = fieldMeta(readMeta(record(schema), place))
  const meta = readMeta(record(target), place)
  const kind = readKind(target, meta, inside, place)
  const named = kind.kind === 'ref'
  const { doc: _doc, deprecated: _deprecated, ...rest } = outer
  const said = named && schema === target ? rest : outer
  const protobuf = said.protobuf === undefined ? {} : { protobuf: said.protobuf }

  return {
    slot: { type: kind, ...(nullable ? { nullable: true as const } : {}), ...protobuf },
    meta: said,
  }
}

// --- what stands around a kind: $ref, null

function unwrap(
  schema: JsonSchema,
  document: JsonSchema,
  place: Place,
): { target: JsonSchema; nullable: boolean } {
  let target = schema
  let nullable = false

  for (let count = 0; count < 100; count++) {
    const choices = target.anyOf ?? target.oneOf

    if (target.$ref !== undefined) {
      target = resolve(target.$ref, document, place)
    } else if (Array.isArray(target.type) && target.type.includes('null')) {
      const others = target.type.filter((type) => type !== 'null')

      nullable = true
      target = { ...target, type: others.length === 1 ? others[0] : others }
    } else if (choices?.some(isNull)) {
      const others = choices.filter((choice) => !isNull(choice))
      const [only] = others

      nullable = true
      target =
        others.length === 1 && only !== undefined ? only : { ...target, anyOf: others, oneOf: undefined }
    } else if (target.enum?.includes(null)) {
      nullable = true
      target = { ...target, enum: target.enum.filter((value) => value !== null) }
    } else {
      return { target, nullable }
    }
  }

  throw new Undeclarable('schema_recursion', place, 'the schema refers to itself without an end')
}

function isNull(schema: JsonSchema): boolean {
  return schema.type === 'null' || schema.const === null
}

/** `#`, `#/$defs/Name` and longer pointers into the same document (RFC 6901). */
function resolve(reference: string, document: JsonSchema, place: Place): JsonSchema {
  const path = reference
    .replace(/^#\/?/, '')
    .split('/')
    .filter((segment) => segment !== '')
    .map((segment) => decodeURIComponent(segment).replaceAll('~1', '/').replaceAll('~0', '~'))
  let target: unknown = document

  for (const segment of path) {
    target =
      typeof target === 'object' && target !== null ? (target as Record<string, unknown>)[segment] : undefined
  }

  if (reference.startsWith('#') && typeof target === 'object' && target !== null) return target as JsonSchema

  throw new Undeclarable(
    'schema_kind',
    place,
    `nothing is found at the reference ${reference} inside of the schema`,
  )
}

// --- kinds

function readKind(schema: JsonSchema, meta: Meta, inside: Inside, place: Place): Type {
  const choices = schema.anyOf ?? schema.oneOf

  if (schema.allOf !== undefined) {
    throw new Undeclarable(
      'schema_kind',
      place,
      'an intersection (allOf) has no form on the wires; declare one object',
    )
  }

  if (choices !== undefined) return readChoices(choices, schema, meta, inside, place)
  if (schema.const !== undefined) return literalType([schema.const], place)
  if (schema.enum !== undefined) return readEnum(schema.enum, meta, inside, place)

  switch (schema.type) {
    case 'string':
      return stringType(schema)
    case 'integer':
      return integerType(schema)
    case 'number':
      return withChecks({ kind: 'float', bits: 64 } as const, numberChecks(schema))
    case 'boolean':
      return { kind: 'bool' }
    case 'array':
      return readArray(schema, inside, place)
    case 'object':
      return readObject(schema, meta, inside, place)
    case undefined:
      throw new Undeclarable(
        'schema_kind',
        place,
        'JSON Schema says nothing about this type (a Date, bigint, class, function or unknown), and it is not guessed; ' +
          'use a string or a number with a format, or zod 4, which can say it',
      )
    default:
      throw new Undeclarable(
        'schema_kind',
        place,
        schema.type === 'null'
          ? 'null alone is no value to carry; allow null beside a type'
          : `a choice of the types ${[schema.type].flat().join(', ')} cannot be carried, since the receiver would ` +
              'have to guess; use a union of objects that a literal property tells apart',
      )
  }
}

function stringType(schema: JsonSchema): StringType {
  const format = schema.format ?? schema.contentEncoding
  const checks = bounds(schema.minLength, schema.maxLength)
  const pattern = schema.pattern === undefined ? undefined : compilable(schema.pattern)

  if (pattern !== undefined) checks.push(pattern)

  return withChecks(format === undefined ? { kind: 'string' } : { kind: 'string', format }, checks)
}

/** JSON Schema does not say the flags; a pattern that compiles with none is left to the library. */
function compilable(source: string): Check | undefined {
  const flags = /\\[pP]\{|\\u\{/.test(source) ? 'u' : ''

  try {
    return { check: 'pattern', source: new RegExp(source, flags).source, flags }
  } catch {
    return undefined
  }
}

/** 32 bits when both bounds say so; else 64 as a `number`. */
function integerType(schema: JsonSchema): IntType {
  const least = Math.max(schema.minimum ?? -Infinity, schema.exclusiveMinimum ?? -Infinity)
  const most = Math.min(schema.maximum ?? Infinity, schema.exclusiveMaximum ?? Infinity)
  const checks = numberChecks(schema)

  if (least >= -(2 ** 31) && most < 2 ** 31) {
    return withChecks({ kind: 'int', bits: 32, signed: true, js: 'number' }, checks)
  }

  if (least >= 0 && most < 2 ** 32)
    return withChecks({ kind: 'int', bits: 32, signed: false, js: 'number' }, checks)

  return withChecks({ kind: 'int', bits: 64, signed: true, js: 'number' }, checks)
}

function numberChecks(schema: JsonSchema): Check[] {
  const whole = schema.type === 'integer'
  const checks: Check[] = []
  const bound = (check: 'min' | 'max', value: number | undefined, exclusive: boolean) => {
    if (value === undefined || (whole && !Number.isInteger(value))) return
    checks.push({ check, value: exact(value), ...(exclusive ? { exclusive: true as const } : {}) })
  }

  bound('min', schema.minimum, false)
  bound('min', schema.exclusiveMinimum, true)
  bound('max', schema.maximum, false)
  bound('max', schema.exclusiveMaximum, true)

  if (schema.multipleOf !== undefined && (!whole || Number.isInteger(schema.multipleOf))) {
    checks.push({ check: 'multipleOf', value: exact(schema.multipleOf) })
  }

  return checks
}

function bounds(least: number | undefined, most: number | undefined): Check[] {
  const checks: Check[] = []

  if (least !== undefined) checks.push({ check: 'minLength', value: String(least) })
  if (most !== undefined) checks.push({ check: 'maxLength', value: String(most) })

  return checks
}

function literalType(values: readonly unknown[], place: Place): LiteralType {
  const [first] = values

  if (
    !['string', 'number', 'boolean'].includes(typeof first) ||
    values.some((value) => typeof value !== typeof first)
  ) {
    throw new Undeclarable(
      'schema_kind',
      place,
      first === undefined
        ? 'nothing is valid here, so there is nothing to carry; leave the field out'
        : 'literals must all be strings, all numbers or all booleans; use a union of objects for a choice of types',
    )
  }

  return { kind: 'literal', values: [...new Set(values)] as (string | number | boolean)[] }
}

/** Strings that make names are an enum; one string, numbers and booleans are literals. */
function readEnum(values: readonly unknown[], meta: Meta, inside: Inside, place: Place): Type {
  const strings = values.filter((value) => typeof value === 'string')
  const names = strings.map((value) => meta.enumNames?.[value] ?? upperSnakeCase(value))
  const nameable = new Set(names).size === names.length && names.every((name) => /^[A-Za-z_]\w*$/.test(name))

  if (strings.length < 2 || strings.length < values.length || !nameable) return literalType(values, place)

  const name = meta.id ?? place.name
  const entries = strings.map((value) => [value, value] as const)

  inside.table.define(name, values, place, () => ({
    named: enumType(name, entries, meta, documentation(meta), inside.table, place),
    refine: true,
  }))

  return { kind: 'ref', to: name }
}

// --- unions

function readChoices(
  choices: readonly JsonSchema[],
  schema: JsonSchema,
  meta: Meta,
  inside: Inside,
  place: Place,
): Type {
  const targets = choices.map((choice) => unwrap(choice, inside.document, place).target)

  if (targets.every((target) => target.const !== undefined || target.enum !== undefined)) {
    return literalType(
      targets.flatMap((target) => target.enum ?? [target.const]),
      place,
    )
  }

  // A format that the library describes as a choice (a UUID, or the nil UUID) is a string, whatever else.
  if (targets.every((target) => target.type === 'string' || typeof target.const === 'string')) {
    return schema.format === undefined ? { kind: 'string' } : { kind: 'string', format: schema.format }
  }

  const by = discriminatorOf(targets, inside.document, place)

  if (by === undefined) {
    throw new Undeclarable(
      'schema_kind',
      place,
      'a union cannot be carried, since the receiver would have to guess; ' +
        'use a union of objects that one required property with a literal tells apart',
    )
  }

  return readUnion(targets, by, meta, inside, place)
}

/** The first property that is a required literal of every variant, and another one in each. */
function discriminatorOf(
  variants: readonly JsonSchema[],
  document: JsonSchema,
  place: Place,
): string | undefined {
  const [first] = variants

  return Object.keys(first?.properties ?? {}).find((property) => {
    const tags = variants.map((variant) => tagsOf(variant, property, document, place))

    return tags.every((tag) => tag !== undefined) && new Set(tags.flat()).size === tags.flat().length
  })
}

function tagsOf(
  variant: JsonSchema,
  property: string,
  document: JsonSchema,
  place: Place,
): readonly unknown[] | undefined {
  const schema = variant.properties?.[property]

  if (schema === undefined || variant.required?.includes(property) !== true) return undefined

  const { target, nullable } = unwrap(schema, document, place)
  const tags = target.const === undefined ? target.enum : [target.const]

  return nullable ? undefined : tags
}

function readUnion(
  targets: readonly JsonSchema[],
  by: string,
  meta: Meta,
  inside: Inside,
  place: Place,
): Type {
  const name = meta.id ?? place.name

  inside.table.define(name, targets, place, () => {
    const variants = targets.flatMap((target): Variant[] => {
      const tags = literalType(tagsOf(target, by, inside.document, place) ?? [], place).values
      const label = String(tags[0])
      const at = below(place, `(${label})`, name + pascalCase(label))
      const { type } = read(target, inside, at).slot
      const names = variantNames(readMeta(record(target), at), at)

      if (type.kind !== 'ref')
        throw new Undeclarable('schema_kind', at, 'a variant of a union must be an object')

      return tags.map((tag) => ({
        tag,
        to: type.to,
        number: inside.table.numbers.variant(name, String(tag)),
        ...names,
      }))
    })

    return { named: unionType(name, by, variants, documentation(meta), inside.table, place), refine: true }
  })

  return { kind: 'ref', to: name }
}

// --- containers

function readArray(schema: JsonSchema, inside: Inside, place: Place): Type {
  const { prefixItems, items, minItems, maxItems } = schema
  const element = typeof items === 'object' ? items : undefined

  if (prefixItems === undefined) {
    if (element === undefined) {
      throw new Undeclarable(
        'schema_kind',
        place,
        'nothing says what the list holds; declare the type of its elements',
      )
    }

    const of = read(element, inside, below(place, '[]', place.name)).slot

    return withChecks({ kind: 'list', of, js: 'array' } as const, bounds(minItems, maxItems))
  }

  if ((minItems ?? 0) < prefixItems.length) {
    throw new Undeclarable(
      'schema_place',
      place,
      'elements of a tuple are always there, so none can be optional; use null',
    )
  }

  const slots = prefixItems.map(
    (item, index) => read(item, inside, below(place, `[${index}]`, `${place.name}${index + 1}`)).slot,
  )
  const rest =
    element === undefined ? undefined : read(element, inside, below(place, '[…]', `${place.name}Rest`)).slot

  return { kind: 'tuple', items: slots, ...(rest === undefined ? {} : { rest }) }
}

function readObject(schema: JsonSchema, meta: Meta, inside: Inside, place: Place): Type {
  const { properties, additionalProperties, patternProperties } = schema
  const open = typeof additionalProperties === 'object' || additionalProperties === true

  if (patternProperties !== undefined || (properties !== undefined && open)) {
    throw new Undeclarable(
      'schema_kind',
      place,
      'an object with undeclared fields cannot be carried, since they have no number and no type; ' +
        'put free fields into a record of their own',
    )
  }

  if (properties === undefined) return readRecord(schema, inside, place)

  const ancestor = inside.ancestors.get(schema)

  if (ancestor !== undefined) return { kind: 'ref', to: ancestor }

  const name = meta.id ?? place.name

  inside.table.define(name, schema, place, () => {
    const within: Inside = { ...inside, ancestors: new Map(inside.ancestors).set(schema, name) }
    const fields = Object.entries(properties).map(([property, value]) =>
      readField(name, property, value, schema, within, fieldPlace(place, property, name)),
    )
    const unknown = additionalProperties === false ? 'refuse' : 'strip'

    return {
      named: objectType(name, fields, unknown, documentation(meta), inside.table, place),
      refine: true,
    }
  })

  return { kind: 'ref', to: name }
}

function readField(
  owner: string,
  name: string,
  schema: JsonSchema,
  object: JsonSchema,
  inside: Inside,
  place: Place,
): Field {
  const number = inside.table.numbers.field(owner, name)
  const { slot, meta } = read(schema, inside, place)
  refuseFieldName(name, meta, place)

  const initial =
    schema.default === undefined ? undefined : defaultOf(schema.default, slot, inside.table, place)
  const optional = initial === undefined && object.required?.includes(name) !== true

  return {
    name,
    number,
    ...slot,
    ...meta,
    ...(optional ? { optional: true as const } : {}),
    ...(initial === undefined ? {} : { default: initial }),
  }
}

function defaultOf(value: unknown, slot: Slot, table: Table, place: Place): Json {
  try {
    return defaultToJson(value, slot, table.types)
  } catch (error) {
    if (!(error instanceof NoJsonForm)) throw error

    throw new Undeclarable('schema_default', place, `the default cannot be carried: ${error.message}`)
  }
}

function readRecord(schema: JsonSchema, inside: Inside, place: Place): Type {
  const { additionalProperties, propertyNames, required } = schema

  if (typeof additionalProperties !== 'object') {
    throw new Undeclarable(
      'schema_kind',
      place,
      'JSON Schema says nothing about the fields of this object, and they are not guessed; declare them',
    )
  }

  const keyPlace = below(place, '{key}', `${place.name}Key`)
  const key: Type =
    propertyNames?.enum !== undefined
      ? literalType(propertyNames.enum, keyPlace)
      : stringType(propertyNames ?? { type: 'string' })
  const of = read(additionalProperties, inside, below(place, '{}', place.name)).slot

  return withChecks(
    { kind: 'map', key, of, js: 'record', ...(required?.length ? { keys: required } : {}) } as const,
    bounds(schema.minProperties, schema.maxProperties),
  )
}

function record(schema: JsonSchema): Readonly<Record<string, unknown>> {
  return schema as Readonly<Record<string, unknown>>
}
