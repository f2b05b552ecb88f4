/**
 * zod 4 (classic and mini) → Type model. A table of kinds, hence its length: `read` takes the wrappers off (optional,
 * nullable, default, readonly, lazy), `readKind` has one case for each kind that is left.
 */
import { defaultToJson, NoJsonForm } from './default.ts'
import { structurallyEqual } from './equal.ts'
import { type FieldMeta, fieldMeta, type Meta, readMeta, typeMeta } from './meta.ts'
import { enumType, objectType, refuseFieldName, unionType, variantNames } from './named.ts'
import { pascalCase } from './names.ts'
import { below, fieldPlace, type Place } from './place.ts'
import type { Definition, Table } from './table.ts'
import type { Documented, Field, Json, LiteralType, Slot, Type, Variant } from './type.ts'
import { bigintType, numberType, numericChecks, sizedChecks, stringType, withChecks } from './zod-checks.ts'
import { acceptsBytesOnly, isInstanceOfBytes } from './zod-bytes.ts'
import { checksOf, type ZodDef, type ZodSchema, zodMetadata } from './zod-def.ts'
import { hasId, nameOf, shapeOf } from './zod-name.ts'
import { refuse, refuseKind } from './zod-refused.ts'
import { isJsonUnion, unwrap } from './zod-unwrap.ts'

/** A schema at its place, as read. */
export interface Read {
  readonly slot: Slot
  readonly optional: boolean
  readonly default: Json | undefined
  readonly meta: FieldMeta
  /** zod has to run on the decoded value. */
  readonly refine: boolean
}

/** Where the reader stands: the schemas that it is inside of. A named one is a way out of recursion, others are not. */
interface Inside {
  readonly table: Table
  readonly named: ReadonlyMap<ZodDef, string>
  readonly unnamed: ReadonlySet<ZodDef>
}

export function readZod(schema: ZodSchema, table: Table, place: Place): Read {
  return read(schema, { table, named: new Map(), unnamed: new Set() }, place)
}

function read(schema: ZodSchema, inside: Inside, place: Place): Read {
  inside.table.spend(place)

  const outer = unwrap(schema, place)
  const { core } = outer
  const own: Meta = { ...typeMeta(outer.meta), ...readMeta(zodMetadata(core), place) }

  if (inside.unnamed.has(core._zod.def)) {
    throw refuse(
      'schema_recursion',
      place,
      'recursion has to pass through an object; put the value into a field of one',
    )
  }

  const kind = isJsonUnion(outer)
    ? { type: { kind: 'json' } as const, refine: false }
    : readKind(core, own, inside, place)

  const meta: FieldMeta = { ...(kind.takesMeta ? kind.fieldMeta : fieldMeta(own)), ...fieldMeta(outer.meta) }
  const protobuf = meta.protobuf === undefined ? {} : { protobuf: meta.protobuf }
  const nullable = outer.nullable || kind.nullable ? { nullable: true as const } : {}
  const slot: Slot = { type: kind.type, ...nullable, ...protobuf }
  const initial =
    outer.defaults === undefined ? undefined : defaultOf(outer.defaults, slot, inside.table, place)

  return {
    slot,
    optional:
      initial === undefined && (outer.optional || outer.defaults !== undefined || kind.optional === true),
    default: initial,
    meta,
    refine: outer.refine || kind.refine,
  }
}

interface Kind {
  readonly type: Type
  readonly refine: boolean
  readonly nullable?: boolean
  readonly optional?: boolean
  /** The schema's own metadata went to the named type; `fieldMeta` is what is left of it for the field. */
  readonly takesMeta?: true
  readonly fieldMeta?: FieldMeta
}

function readKind(schema: ZodSchema, meta: Meta, inside: Inside, place: Place): Kind {
  const { def } = schema._zod
  const checks = checksOf(def)

  if (def.coerce === true) {
    throw refuse(
      'schema_transforms',
      place,
      'z.coerce cannot be carried, since its input is not its output; declare the type itself',
    )
  }

  switch (def.type) {
    case 'string':
      return stringType(checks)

    case 'number': {
      const number = numberType(checks)

      if (number === undefined)
        throw refuse('schema_conflict', place, 'a number cannot be int32 and uint32 at once')

      return number
    }

    case 'bigint':
      return bigintType(checks)

    case 'boolean':
      return { type: { kind: 'bool' }, refine: checks.length > 0 }

    case 'date': {
      const bounds = numericChecks(checks, false)

      return { type: withChecks({ kind: 'instant' }, bounds.checks), refine: bounds.refine }
    }

    case 'custom':
      return readBytes(def, place)

    case 'literal':
      return { ...literalType(def.values ?? [], place), refine: checks.length > 0 }

    case 'enum':
      return readEnum(schema, meta, inside, place)

    case 'object':
      return readObject(schema, meta, inside, place)

    case 'union':
      return def.discriminator === undefined
        ? readPlainUnion(def, inside, place)
        : readUnion(schema, meta, inside, place)

    case 'array':
    case 'set':
      return readList(def, inside, place)

    case 'tuple':
      return readTuple(def, inside, place)

    case 'record':
    case 'map':
      return readMap(def, inside, place)

    default:
      throw refuseKind(def, place)
  }
}

// --- bytes, literals, enums

function readBytes(def: ZodDef, place: Place): Kind {
  if (!acceptsBytesOnly(def)) {
    throw refuse(
      'schema_kind',
      place,
      'z.custom() and z.instanceof() of another class than Uint8Array cannot be carried; ' +
        'use z.instanceof(Uint8Array) for bytes, or z.object() for the data of a class',
    )
  }

  const { checks, refine } = sizedChecks((def.checks ?? []).map((check) => check._zod.def))

  return { type: withChecks({ kind: 'bytes' }, checks), refine: refine || !isInstanceOfBytes(def) }
}

function literalType(
  all: readonly unknown[],
  place: Place,
): { type: LiteralType; nullable: boolean; optional: boolean } {
  const values = [...new Set(all.filter((value) => value !== null && value !== undefined))]
  const [first] = values
  const carried = ['string', 'number', 'boolean'].includes(typeof first)

  if (!carried || values.some((value) => typeof value !== typeof first || Number.isNaN(value))) {
    throw refuse(
      'schema_kind',
      place,
      values.length === 0
        ? 'null or undefined alone is no value to carry; leave the field out'
        : 'literals must all be strings, all numbers or all booleans; use z.discriminatedUnion() for a choice of types',
    )
  }

  return {
    type: { kind: 'literal', values: values as (string | number | boolean)[] },
    nullable: all.includes(null),
    optional: all.includes(undefined),
  }
}

function readEnum(schema: ZodSchema, meta: Meta, inside: Inside, place: Place): Kind {
  const { def } = schema._zod
  const { name, doc, fieldMeta } = nameOf(schema, meta, place)

  inside.table.define(name, def, place, () => {
    const named = enumType(name, enumEntries(def.entries ?? {}), meta, doc, inside.table, place)

    return { named, refine: false }
  })

  return { type: { kind: 'ref', to: name }, refine: checksOf(def).length > 0, takesMeta: true, fieldMeta }
}

/** A TypeScript enum of numbers lists its names by number as well; a second name of a value is dropped. */
function enumEntries(
  entries: Readonly<Record<string, string | number>>,
): (readonly [string, string | number])[] {
  const numbers = new Set(Object.values(entries).filter((value) => typeof value === 'number'))
  const byValue = new Map<string | number, string>()

  for (const [key, value] of Object.entries(entries)) {
    const reverse = typeof value === 'string' && numbers.has(Number(key))

    if (!reverse && !byValue.has(value)) byValue.set(value, key)
  }

  return [...byValue].map(([value, key]) => [key, value])
}

// --- objects

function readObject(schema: ZodSchema, meta: Meta, inside: Inside, place: Place, union?: string): Kind {
  const { def } = schema._zod
  const { name: given, doc, fieldMeta } = nameOf(schema, meta, place)
  const ancestor = meta.id !== undefined || hasId(schema) ? undefined : inside.named.get(def)
  const name = ancestor ?? given
  const ownChecks = checksOf(def).length > 0

  if (ancestor !== undefined) {
    return { type: { kind: 'ref', to: name }, refine: ownChecks, takesMeta: true, fieldMeta }
  }

  refuseOpenObject(def, place)

  const refine = inside.table.define(name, shapeOf(schema), place, () => {
    const within: Inside = {
      table: inside.table,
      named: new Map(inside.named).set(def, name),
      unnamed: new Set(),
    }

    return defineObject(name, def, doc, within, place, union)
  })

  return { type: { kind: 'ref', to: name }, refine: refine || ownChecks, takesMeta: true, fieldMeta }
}

function defineObject(
  name: string,
  def: ZodDef,
  doc: Documented,
  inside: Inside,
  place: Place,
  union: string | undefined,
): Definition {
  const { numbers } = inside.table
  let refine = false

  const fields = Object.entries(def.shape ?? {}).map(([property, schema]): Field => {
    const at = fieldPlace(place, property, name)

    const number = numbers.field(name, property)
    const value = read(schema, inside, at)
    refine ||= value.refine
    refuseFieldName(property, value.meta, at)

    if (property === union && value.slot.type.kind !== 'literal') {
      throw refuse('schema_place', at, 'the property that tells the variants apart must be a z.literal()')
    }

    return {
      name: property,
      number,
      ...value.slot,
      ...value.meta,
      ...(value.optional ? { optional: true as const } : {}),
      ...(value.default === undefined ? {} : { default: value.default }),
    }
  })

  const unknown = def.catchall === undefined ? 'strip' : 'refuse'

  return { named: objectType(name, fields, unknown, doc, inside.table, place), refine }
}

function refuseOpenObject({ catchall }: ZodDef, place: Place): void {
  if (catchall === undefined || catchall._zod.def.type === 'never') return

  throw refuse(
    'schema_kind',
    place,
    'z.looseObject() and .catchall() cannot be carried, since undeclared fields have no number and no type; ' +
      'use z.object() and put free fields into a z.record()',
  )
}

// --- unions

function readUnion(schema: ZodSchema, meta: Meta, inside: Inside, place: Place): Kind {
  const { def } = schema._zod
  const { name, doc, fieldMeta } = nameOf(schema, meta, place)
  const by = def.discriminator ?? ''
  const ancestor = meta.id !== undefined || hasId(schema) ? undefined : inside.named.get(def)
  const ownChecks = checksOf(def).length > 0

  if (ancestor !== undefined) {
    return { type: { kind: 'ref', to: ancestor }, refine: ownChecks, takesMeta: true, fieldMeta }
  }

  const refine = inside.table.define(name, def.options, place, () => {
    const within: Inside = { ...inside, named: new Map(inside.named).set(def, name), unnamed: new Set() }
    const variants: Variant[] = []
    let needed = false

    for (const option of variantObjects(def, by, place)) {
      const tags = tagsOf(option, by, place)
      const at = below(place, `(${String(tags[0])})`, name + pascalCase(String(tags[0])))
      const meta = readMeta(zodMetadata(option), at)
      const object = readObject(option, meta, within, at, by)
      const to = (object.type as { to: string }).to

      needed ||= object.refine
      for (const tag of tags)
        variants.push({
          tag,
          to,
          number: inside.table.numbers.variant(name, String(tag)),
          ...variantNames(meta, at),
        })
    }

    return { named: unionType(name, by, variants, doc, inside.table, place), refine: needed }
  })

  return { type: { kind: 'ref', to: name }, refine: refine || ownChecks, takesMeta: true, fieldMeta }
}

/** The objects of a union, those of unions inside of it included. */
function variantObjects(def: ZodDef, by: string, place: Place): ZodSchema[] {
  return (def.options ?? []).flatMap((option) => {
    const { core, nullable, optional, defaults, refine } = unwrap(option, place)
    const inner = core._zod.def

    if (inner.type === 'object' && !nullable && !optional && defaults === undefined && !refine) return [core]
    if (inner.type === 'union' && inner.discriminator === by && checksOf(inner).length === 0) {
      return variantObjects(inner, by, place)
    }

    throw refuse(
      'schema_place',
      place,
      `each variant of z.discriminatedUnion('${by}', …) must be a z.object() with a z.literal() called ${by}; ` +
        'make the whole union optional or nullable instead of a variant',
    )
  })
}

function tagsOf(option: ZodSchema, by: string, place: Place): readonly (string | number | boolean)[] {
  const property = option._zod.def.shape?.[by]
  const unwrapped = property === undefined ? undefined : unwrap(property, place)
  const literal = unwrapped?.core._zod.def.type === 'literal' ? unwrapped.core._zod.def : undefined
  const open =
    unwrapped !== undefined && (unwrapped.nullable || unwrapped.optional || unwrapped.defaults !== undefined)

  if (
    literal === undefined ||
    open ||
    literal.values?.some((value) => value === null || value === undefined)
  ) {
    throw refuse(
      'schema_place',
      fieldPlace(place, by, place.name),
      'the property that tells the variants apart must be a required z.literal()',
    )
  }

  return literalType(literal.values ?? [], place).type.values
}

/** `X | null`, `X | undefined` and unions of literals; every other union would have to be guessed by the receiver. */
function readPlainUnion(def: ZodDef, inside: Inside, place: Place): Kind {
  const options = def.options ?? []
  const isOf =
    (...types: string[]) =>
    (option: ZodSchema) =>
      types.includes(option._zod.def.type)
  const nullable = options.some(isOf('null'))
  const optional = options.some(isOf('undefined', 'void'))
  const rest = options.filter((option) => !isOf('null', 'undefined', 'void')(option))
  const ownChecks = checksOf(def).length > 0
  const [only] = rest

  if (only !== undefined && rest.length === 1) {
    const within: Inside = { ...inside, unnamed: new Set(inside.unnamed).add(def) }
    const value = read(only, within, place)

    if (value.default !== undefined) {
      throw refuse(
        'schema_place',
        place,
        'a default inside of z.union() is hidden; put .default() on the union itself',
      )
    }

    return {
      type: value.slot.type,
      nullable: nullable || value.slot.nullable === true,
      optional: optional || value.optional,
      refine: value.refine || ownChecks,
      takesMeta: true,
      fieldMeta: value.meta,
    }
  }

  if (rest.length > 0 && rest.every(isOf('literal'))) {
    const literal = literalType(
      rest.flatMap((option) => option._zod.def.values ?? []),
      place,
    )

    return {
      type: literal.type,
      nullable: nullable || literal.nullable,
      optional: optional || literal.optional,
      refine: ownChecks || rest.some((option) => checksOf(option._zod.def).length > 0),
    }
  }

  throw refuse(
    'schema_kind',
    place,
    'z.union() cannot be carried, since the receiver would have to guess; ' +
      "use z.discriminatedUnion('type', [z.object({ type: z.literal('a'), … }), …])",
  )
}

// --- lists, tuples, maps

function readList(def: ZodDef, inside: Inside, place: Place): Kind {
  const element = def.type === 'array' ? def.element : def.valueType
  const at = below(place, '[]', place.name)
  const of = readElement(element, def, inside, at)
  const { checks, refine } = sizedChecks(checksOf(def))

  return {
    type: withChecks(
      { kind: 'list', of: of.slot, js: def.type === 'array' ? 'array' : 'set' } as const,
      checks,
    ),
    refine: refine || of.refine,
  }
}

function readTuple(def: ZodDef, inside: Inside, place: Place): Kind {
  const items = (def.items ?? []).map((item, index) =>
    readElement(item, def, inside, below(place, `[${index}]`, `${place.name}${index + 1}`)),
  )
  const rest =
    def.rest === undefined || def.rest === null
      ? undefined
      : readElement(def.rest, def, inside, below(place, '[…]', `${place.name}Rest`))

  return {
    type: {
      kind: 'tuple',
      items: items.map(({ slot }) => slot),
      ...(rest === undefined ? {} : { rest: rest.slot }),
    },
    refine: checksOf(def).length > 0 || items.some((item) => item.refine) || rest?.refine === true,
  }
}

function readMap(def: ZodDef, inside: Inside, place: Place): Kind {
  if (def.mode === 'loose') {
    throw refuse(
      'schema_kind',
      place,
      'z.looseRecord() cannot be carried, since other keys have no type; use z.record()',
    )
  }

  const key = readElement(def.keyType, def, inside, below(place, '{key}', `${place.name}Key`))
  const of = readElement(def.valueType, def, inside, below(place, '{}', place.name))
  const keys = def.type === 'record' ? requiredKeys(def, key.slot.type, inside.table) : undefined
  const { checks, refine } = sizedChecks(checksOf(def))

  refuseKey(key.slot, def, inside.table, place)

  return {
    type: withChecks(
      {
        kind: 'map',
        key: key.slot.type,
        of: of.slot,
        js: def.type === 'record' ? 'record' : 'map',
        ...(keys === undefined ? {} : { keys }),
      } as const,
      checks,
    ),
    refine: refine || key.refine || of.refine,
  }
}

function refuseKey(key: Slot, def: ZodDef, table: Table, place: Place): void {
  const { type } = key
  const ofStrings =
    type.kind === 'string' ||
    (type.kind === 'literal' && type.values.every((value) => typeof value === 'string')) ||
    (type.kind === 'ref' && table.types[type.to]?.kind === 'enum')
  const ofScalars = type.kind === 'bool' || type.kind === 'int'

  if (!key.nullable && (ofStrings || (ofScalars && (def.type === 'map' || type.kind === 'int')))) return

  throw refuse(
    'schema_place',
    below(place, '{key}', place.name),
    'the keys of a map must be strings, integers, booleans (z.map() only), literals of strings or an enum; ' +
      'use z.array() of z.object({ key, value }) for others',
  )
}

/** A record over an enum must have all of its keys, unless it is a `z.partialRecord()`. */
function requiredKeys(def: ZodDef, key: Type, table: Table): readonly string[] | undefined {
  if (isPartial(def)) return undefined
  if (key.kind === 'literal') return key.values.map(String)

  const named = key.kind === 'ref' ? table.types[key.to] : undefined

  return named?.kind === 'enum' ? named.values.map(({ value }) => String(value)) : undefined
}

/** Early releases do not say it in `def`: they hand on a key type that has forgotten its values. */
function isPartial(def: ZodDef): boolean {
  if (def.partial !== undefined) return def.partial

  const internals = def.keyType?._zod as { readonly values?: ReadonlySet<unknown> } | undefined

  return internals?.values === undefined
}

/** Elements, keys and values: they are always there. */
function readElement(schema: ZodSchema | undefined, container: ZodDef, inside: Inside, place: Place): Read {
  if (schema === undefined) throw refuse('schema_kind', place, 'nothing says what it holds')

  const value = read(schema, { ...inside, unnamed: new Set(inside.unnamed).add(container) }, place)

  if (value.optional || value.default !== undefined) {
    throw refuse(
      'schema_place',
      place,
      'elements of a list, tuple or map are always there, so they can be neither optional nor have a default; ' +
        'use .nullable(), or an object with an optional field',
    )
  }

  return value
}

// --- defaults

/** `undefined` when the default is `undefined` itself. */
function defaultOf(def: ZodDef, slot: Slot, table: Table, place: Place): Json | undefined {
  const call = def.type === 'prefault' ? '.prefault()' : '.default()'
  const first = def.defaultValue
  const second = def.defaultValue

  if (first === undefined) return undefined

  try {
    const json = defaultToJson(first, slot, table.types)

    if (structurallyEqual(json, defaultToJson(second, slot, table.types))) return json
  } catch (error) {
    if (!(error instanceof NoJsonForm)) throw error

    throw refuse('schema_default', place, `${call} cannot be carried: ${error.message}`)
  }

  throw refuse(
    'schema_default',
    place,
    `${call} gives another value each time, and the two sides would not agree on it; use .optional() and fill it in where it is read`,
  )
}
