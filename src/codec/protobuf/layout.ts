/**
 * Lays a schema out in protobuf: a compiler from the Type model to the tables of `message-layout.ts`, pure, without a byte
 * read or written; so longer than other files.
 *
 * The mapping (proto3, https://protobuf.dev/programming-guides/proto3):
 *
 *   string, int, float, bool, bytes      string, int32 / uint32 / int64 / uint64, double / float, bool, bytes
 *   instant, json                        google.protobuf.Timestamp, google.protobuf.Value
 *   literal                              string, bool, int64, or double when a value is not whole
 *   ref to an enum, object, union        enum, message, message with one oneof
 *   list, set, map                       repeated, repeated, map (keys that are enums or literals: string)
 *   tuple                                message with fields 1..n, and the rest in repeated field n + 1
 *
 * Presence of a field:
 *
 *   required scalar or enum              implicit: the zero value is not written, absent is the zero value
 *   required literal with one value      implicit: written unless zero; absent is that value, so peers may omit it
 *   required message                     absent is an error
 *   default that is the zero value       implicit: absent is the default
 *   optional, nullable, other default    explicit (`optional`): absent is undefined, null, or the default
 *   `presence: 'required'`               explicit: written even when it is zero, absent is an error
 *   `presence: 'explicit'`               explicit, though the default is the zero value
 *   list, map                            absent is empty
 *
 * Where protobuf has no word for it, a message with one field of number 1 stands between, a *box*:
 *
 *   a nullable element or map value      an empty box is null
 *   a list in a list, map or map in one  the box holds the list
 *   an optional, nullable or defaulted   no box is undefined, null, or the default; an empty box is an empty list
 *   list or map
 *   an optional (or defaulted) field     no box is undefined (the default), an empty box is null; a list sits in a box
 *   that is nullable too                 of its own within
 *   a root that is no message            the box is the root's message
 *
 * JSON values need no box to be null, since google.protobuf.Value has a null of its own. A default of `null`, or of an
 * empty list or map, needs none either: absent says it.
 */
import { oneofName, pascalCase, protoName, upperSnakeCase, variantName } from '../../schema/names.ts'
import type {
  EnumType,
  Json,
  ListType,
  LiteralType,
  MapType,
  Named,
  ObjectType,
  Schema,
  Slot,
  TupleType,
  Type,
  Types,
  UnionType,
} from '../../schema/type.ts'
import type {
  Scalar,
  WellKnown,
  Layout,
  MessageLayout,
  EnumLayout,
  Absent,
  FieldLayout,
  ScalarLayout,
  ValueLayout,
} from './message-layout.ts'

/**
 * Lays a schema out in protobuf. `name` is what a message is called that stands for a root without a name.
 * Throws an Error that names the place when a `protobuf` override does not fit its type.
 */
export function layout(schema: Schema, name: string = 'Root'): Layout {
  const messages = new Map<string, MessageLayout>()
  const enums = new Map<string, EnumLayout>()
  const place: Place = { types: schema.types, messages, enums, within: name, hint: '' }
  return { root: rootMessage(schema.root, place), messages, enums }
}

/** Where in the layout we are: what was made so far, and what a message made here is called. */
interface Place {
  readonly types: Types
  readonly messages: Map<string, MessageLayout>
  readonly enums: Map<string, EnumLayout>
  /** The enclosing message. */
  readonly within: string
  /** `Tags`, for `Order.TagsBox`. */
  readonly hint: string
}

function rootMessage(root: Slot, place: Place): MessageLayout {
  const plain = root.nullable === undefined && !isList(root)
  if (plain && (root.type.kind === 'tuple' || namedOf(root.type, place)?.kind !== 'enum')) {
    const value = valueOf(root, place)
    if (value.kind === 'message') return value.of
    if (value.kind === 'known' && root.protobuf !== undefined) {
      return { name: value.proto, kind: 'known', fields: [], known: value }
    }
  }

  return box(root, place.within, place)
}

/** Repeated, or a map: what protobuf cannot nest. Struct and ListValue are messages. */
function isList(slot: Slot): slot is Slot & { type: ListType | MapType } {
  return (slot.type.kind === 'list' || slot.type.kind === 'map') && slot.protobuf === undefined
}

function namedOf(type: Type, place: Place): Named | undefined {
  if (type.kind !== 'ref') return undefined
  const named = place.types[type.to]
  if (named === undefined)
    throw new Error(`${place.within}: there is no type named ${JSON.stringify(type.to)}`)
  return named
}

/** Whether null needs a place of its own; google.protobuf.Value has one. */
function isNullable(slot: Slot): boolean {
  const value = slot.protobuf === undefined || slot.protobuf === 'google.protobuf.Value'
  return slot.nullable === true && !(slot.type.kind === 'json' && value)
}

interface Presence {
  readonly optional?: true
  readonly default?: Json
  readonly sensitive?: true
  readonly presence?: 'explicit' | 'required'
  readonly packed?: false
}

type FieldName = Pick<FieldLayout, 'name' | 'number' | 'property'>

/** A place that can be absent: an object's field, a tuple's item, the inside of a box. */
function fieldOf(name: FieldName, slot: Slot, presence: Presence, place: Place): FieldLayout {
  const nullIsDefault = presence.default === null
  const hasDefault = presence.default !== undefined && !nullIsDefault
  const nullable = isNullable(slot)
  const optional = presence.optional === true || hasDefault || nullIsDefault
  const absent = absentOf(slot, presence)

  const common = {
    ...name,
    optional,
    nullable,
    absent,
    sensitive: presence.sensitive === true,
    type: slot.type,
    ...(hasDefault ? { default: presence.default } : undefined),
    ...(presence.packed === false ? { packed: false as const } : undefined),
  }

  // Both undefined and null: the field itself is absent, or its box is empty.
  if (nullable && (hasDefault || (presence.optional === true && !nullIsDefault))) {
    const of = box(slot, `${place.within}.${place.hint}Box`, place)
    return {
      ...common,
      nullable: false,
      shape: 'single',
      presence: 'explicit',
      value: { kind: 'message', of, type: slot.type },
    }
  }

  if (isList(slot)) {
    if (absent === 'empty') return { ...common, ...listOf(slot.type, place), presence: 'implicit' }

    const of = box({ ...slot, nullable: undefined }, `${place.within}.${place.hint}Box`, place)
    return {
      ...common,
      shape: 'single',
      presence: 'explicit',
      value: { kind: 'message', of, type: slot.type },
    }
  }

  const value = valueOf(slot, place)
  const isImplicit =
    presence.presence === undefined &&
    (value.kind === 'scalar' || value.kind === 'enum') &&
    (absent === 'zero' ||
      absent === 'missing' ||
      (absent === 'default' && !nullable && isZeroDefault(value, presence.default)))
  return { ...common, shape: 'single', presence: isImplicit ? 'implicit' : 'explicit', value }
}

/** Whether absent says it already: a default in our JSON that is the zero value. */
function isZeroDefault(value: ValueLayout, fallback: Json | undefined): boolean {
  if (value.kind === 'enum') {
    return value.of.values.some((one) => one.number === 0 && one.value === fallback)
  }
  if (value.kind !== 'scalar' || value.type.kind === 'literal') return false
  return fallback === '' || fallback === false || Object.is(fallback, 0) || isZeroText(value, fallback)
}

/** 64-bit integers are decimal strings. */
function isZeroText({ type }: ScalarLayout, fallback: Json | undefined): boolean {
  return type.kind === 'int' && fallback === '0'
}

function absentOf(slot: Slot, presence: Presence): Absent {
  const { default: fallback } = presence
  if (presence.presence === 'required') return 'missing'
  if (isList(slot) && slot.nullable === undefined && isEmpty(fallback)) return 'empty'
  if (fallback === null) return 'null'
  if (fallback !== undefined) return 'default'
  if (presence.optional) return 'undefined'
  if (slot.nullable) return 'null'
  if (isList(slot)) return 'empty'
  return isScalar(slot) ? 'zero' : 'missing'
}

function isEmpty(value: Json | undefined): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

function isScalar(slot: Slot): boolean {
  if (slot.protobuf?.includes('.')) return false
  return !['instant', 'json', 'tuple', 'list', 'map'].includes(slot.type.kind)
}

function listOf(type: ListType | MapType, place: Place): Pick<FieldLayout, 'shape' | 'value' | 'key'> {
  const value = elementOf(type.of, {
    ...place,
    hint: `${place.hint}${type.kind === 'list' ? 'Item' : 'Value'}`,
  })
  return type.kind === 'list'
    ? { shape: 'repeated', value }
    : { shape: 'map', key: keyOf(type, place), value }
}

function keyOf(type: MapType, place: Place): ScalarLayout {
  const { key } = type
  if (key.kind === 'int') return { kind: 'scalar', proto: integerOf(key), type: key }
  if (key.kind === 'bool') return { kind: 'scalar', proto: 'bool', type: key }

  const named = namedOf(key, place)
  if (key.kind === 'string' || key.kind === 'literal' || named?.kind === 'enum') {
    return { kind: 'scalar', proto: 'string', type: key }
  }
  throw new Error(
    `${place.within}: a map's key is a string, an integer, a boolean or an enum, not ${key.kind}`,
  )
}

/** A place that is always there: an element, a map's value. */
function elementOf(slot: Slot, place: Place): ValueLayout {
  const nullable = isNullable(slot)
  if (!nullable && !isList(slot)) return valueOf(slot, place)

  const of = box(slot, `${place.within}.${place.hint}Box`, place)
  return { kind: 'message', of, type: slot.type }
}

/** A message with the slot as its field 1. */
function box(slot: Slot, name: string, place: Place): MessageLayout {
  const unique = uniqueName(name, place)
  const fields: FieldLayout[] = []
  const message: MessageLayout = { name: unique, kind: 'box', fields }
  place.messages.set(unique, message)

  const inner = { ...place, within: unique, hint: 'Value' }
  fields.push(fieldOf({ name: 'value', number: 1, property: '' }, slot, {}, inner))
  return message
}

function uniqueName(name: string, place: Place): string {
  let unique = name
  for (let count = 2; place.messages.has(unique) || place.types[unique] !== undefined; count += 1) {
    unique = `${name}${count}`
  }
  return unique
}

function valueOf(slot: Slot, place: Place): ValueLayout {
  const { type } = slot
  if (slot.protobuf !== undefined) return overridden(slot, slot.protobuf, place)

  switch (type.kind) {
    case 'string':
    case 'bool':
    case 'bytes':
      return { kind: 'scalar', proto: type.kind, type }
    case 'int':
      return { kind: 'scalar', proto: integerOf(type), type }
    case 'float':
      return { kind: 'scalar', proto: type.bits === 32 ? 'float' : 'double', type }
    case 'literal':
      return { kind: 'scalar', proto: literalOf(type), type }
    case 'instant':
      return { kind: 'known', proto: 'google.protobuf.Timestamp', type }
    case 'json':
      return { kind: 'known', proto: 'google.protobuf.Value', type }
    case 'tuple':
      return { kind: 'message', of: tupleMessage(type, place), type }
    case 'ref':
      return namedValue(type.to, type, place)
    case 'list':
    case 'map':
      throw new Error(`${place.within}: a list needs a field of its own`)
  }
}

function integerOf(type: Extract<Type, { kind: 'int' }>): Scalar {
  if (type.bits === 32) return type.signed ? 'int32' : 'uint32'
  return type.signed ? 'int64' : 'uint64'
}

function literalOf(type: LiteralType): Scalar {
  if (typeof type.values[0] === 'string') return 'string'
  if (typeof type.values[0] === 'boolean') return 'bool'
  return type.values.every((value) => Number.isSafeInteger(value)) ? 'int64' : 'double'
}

function namedValue(name: string, type: Type, place: Place): ValueLayout {
  const named = namedOf(type, place)
  if (named?.kind === 'enum') return { kind: 'enum', of: enumLayout(name, named, place), type }
  if (named?.kind === 'union') return { kind: 'message', of: unionMessage(name, named, place), type }
  if (named?.kind === 'object') return { kind: 'message', of: objectMessage(name, named, place), type }
  throw new Error(`${place.within}: there is no type named ${JSON.stringify(name)}`)
}

function enumLayout(name: string, type: EnumType, place: Place): EnumLayout {
  const known = place.enums.get(name)
  if (known !== undefined) return known

  const zero = type.values.find(({ number }) => number === 0)
  const others = type.values.filter((value) => value !== zero)
  const unspecified = { name: `${upperSnakeCase(name)}_UNSPECIFIED`, number: 0 }
  const made = { name, type, values: [zero ?? unspecified, ...others] }
  place.enums.set(name, made)
  return made
}

function objectMessage(name: string, type: ObjectType, place: Place): MessageLayout {
  const known = place.messages.get(name)
  if (known !== undefined) return known

  const fields: FieldLayout[] = []
  const message: MessageLayout = { name, kind: 'object', fields, object: type }
  place.messages.set(name, message)

  for (const field of type.fields) {
    const inner = { ...place, within: name, hint: pascalCase(field.name) }
    const made = fieldOf(
      { name: protoName(field), number: field.number, property: field.name },
      field,
      field,
      inner,
    )
    fields.push({ ...made, field })
  }
  return message
}

function unionMessage(name: string, type: UnionType, place: Place): MessageLayout {
  const known = place.messages.get(name)
  if (known !== undefined) return known

  const fields: FieldLayout[] = []
  const message: MessageLayout = {
    name,
    kind: 'union',
    fields,
    oneof: { name: oneofName, by: type.by, type },
  }
  place.messages.set(name, message)

  for (const variant of type.variants) {
    const ref: Type = { kind: 'ref', to: variant.to }
    const inner = { ...place, within: name, hint: '' }
    const made = fieldOf(
      { name: variantName(variant), number: variant.number, property: '' },
      { type: ref },
      {},
      inner,
    )
    fields.push({ ...made, tag: variant.tag, ...(variant.json === undefined ? {} : { json: variant.json }) })
  }
  return message
}

function tupleMessage(type: TupleType, place: Place): MessageLayout {
  const name = uniqueName(place.hint === '' ? place.within : `${place.within}.${place.hint}Tuple`, place)
  const fields: FieldLayout[] = []
  const message: MessageLayout = { name, kind: 'tuple', fields, tuple: type }
  place.messages.set(name, message)

  for (const [index, slot] of type.items.entries()) {
    const inner = { ...place, within: name, hint: `Item${index + 1}` }
    const itemName = { name: `item_${index + 1}`, number: index + 1, property: String(index) }
    fields.push(fieldOf(itemName, slot, {}, inner))
  }

  if (type.rest !== undefined) {
    const inner = { ...place, within: name, hint: 'Rest' }
    const restName = { name: 'rest', number: type.items.length + 1, property: String(type.items.length) }
    const list: Slot = { type: { kind: 'list', js: 'array', of: type.rest } }
    fields.push(fieldOf(restName, list, {}, inner))
  }
  return message
}

const fitting: Readonly<Record<string, readonly string[]>> = {
  int: 'int32 sint32 sfixed32 uint32 fixed32 int64 sint64 sfixed64 uint64 fixed64'.split(' '),
  float: ['double', 'float'],
  string: ['string', 'google.protobuf.Timestamp', 'google.protobuf.Duration'],
  bool: ['bool'],
  bytes: ['bytes'],
  instant: ['google.protobuf.Timestamp'],
  json: ['google.protobuf.Value', 'google.protobuf.Struct', 'google.protobuf.ListValue'],
  list: ['google.protobuf.ListValue'],
  map: ['google.protobuf.Struct'],
}

const wrappers: Readonly<Record<string, Scalar>> = {
  'google.protobuf.DoubleValue': 'double',
  'google.protobuf.FloatValue': 'float',
  'google.protobuf.Int64Value': 'int64',
  'google.protobuf.UInt64Value': 'uint64',
  'google.protobuf.Int32Value': 'int32',
  'google.protobuf.UInt32Value': 'uint32',
  'google.protobuf.BoolValue': 'bool',
  'google.protobuf.StringValue': 'string',
  'google.protobuf.BytesValue': 'bytes',
}

function overridden(slot: Slot, proto: string, place: Place): ValueLayout {
  const { type } = slot
  const wrapped = wrappers[proto]
  if (wrapped !== undefined && fits(type, wrapped)) return wrapper(proto, wrapped, type)

  if (proto === 'google.protobuf.Empty') {
    const named = namedOf(type, place)
    if (named?.kind === 'object' && named.fields.length === 0) {
      return { kind: 'message', of: { name: proto, kind: 'object', fields: [], object: named }, type }
    }
  }

  const json =
    type.kind !== 'list' && type.kind !== 'map' ? true : type.of.type.kind === 'json' && !type.of.protobuf
  const textKey = type.kind !== 'map' || (type.js === 'record' && type.key.kind === 'string')
  if (json && textKey && fits(type, proto)) {
    if (proto.startsWith('google.')) return { kind: 'known', proto: proto as WellKnown, type }
    return { kind: 'scalar', proto: proto as Scalar, type }
  }

  throw new Error(`${place.within}${place.hint && `, ${place.hint}`}: ${proto} cannot carry ${type.kind}`)
}

function fits(type: Type, proto: string): boolean {
  if (type.kind !== 'literal') return fitting[type.kind]?.includes(proto) ?? false

  const usual = literalOf(type)
  return usual === proto || (usual === 'int64' && (fitting['int']?.includes(proto) ?? false))
}

function wrapper(name: string, proto: Scalar, type: Type): ValueLayout {
  const value: ScalarLayout = { kind: 'scalar', proto, type }
  const field: FieldLayout = {
    name: 'value',
    number: 1,
    property: '',
    shape: 'single',
    presence: 'implicit',
    absent: 'zero',
    optional: false,
    nullable: false,
    sensitive: false,
    type,
    value,
  }
  return { kind: 'message', of: { name, kind: 'wrapper', fields: [field] }, type }
}
