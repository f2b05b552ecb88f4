/** Named types put together, with the conflicts that every reader of schemas refuses in the same words. */
import { defined, type Meta } from './meta.ts'
import {
  jsonName,
  oneofName,
  protoJsonName,
  protoJsonVariantName,
  protoName,
  upperSnakeCase,
  variantName,
} from './names.ts'
import type { Place } from './place.ts'
import type { Table } from './table.ts'
import type { Documented, EnumType, EnumValue, Field, ObjectType, UnionType, Variant } from './type.ts'
import { Undeclarable } from './undeclarable.ts'

export function objectType(
  name: string,
  fields: readonly Field[],
  unknown: 'strip' | 'refuse',
  doc: Documented,
  table: Table,
  place: Place,
): ObjectType {
  refuseTwice(
    fields,
    jsonName,
    place,
    (json) => `two fields are both called ${json} in JSON; give one another name with .meta({ json: '…' })`,
  )
  refuseTwice(
    fields,
    protoName,
    place,
    (proto) => `two fields are both called ${proto} in protobuf; name one with .meta({ proto: '…' })`,
  )
  refuseTwice(
    fields,
    protoJsonName,
    place,
    (json) =>
      `two fields are both called ${json} in the JSON of gRPC and Connect; name one with .meta({ proto: '…' })`,
  )
  refuseTwice(
    fields,
    ({ number }) => number,
    place,
    (number) => `two fields have the number ${number}; give each its own in the lock`,
  )

  return { kind: 'object', ...doc, fields, unknown, ...reservedOf(name, table) }
}

function reservedOf(name: string, { numbers }: Table): Pick<ObjectType, 'reserved'> {
  const reserved = numbers.reserved(name)
  return reserved === undefined ? {} : { reserved }
}

/** `entries` are pairs of the name that a value was declared under (or the value itself) and the value. */
export function enumType(
  type: string,
  entries: readonly (readonly [key: string, value: string | number])[],
  meta: Meta,
  doc: Documented,
  table: Table,
  place: Place,
): EnumType {
  const values = entries.map(([key, value]): EnumValue => {
    const name = meta.enumNames?.[value] ?? upperSnakeCase(key)

    if (!/^[A-Za-z_]\w*$/.test(name)) {
      throw new Undeclarable(
        'schema_meta',
        place,
        `the value ${JSON.stringify(value)} makes no name; give it one with .meta({ enumNames: { … } })`,
      )
    }

    const number =
      meta.numbers === undefined ? table.numbers.enumValue(type, name, value) : meta.numbers[value]

    if (number === undefined) {
      throw new Undeclarable(
        'schema_meta',
        place,
        `.meta({ numbers }) leaves out ${JSON.stringify(value)}; give every value a number`,
      )
    }

    return { name, value, number }
  })

  if (values.length === 0) {
    throw new Undeclarable(
      'schema_kind',
      place,
      'an enum without values can hold nothing; leave the field out',
    )
  }

  refuseTwice(
    values,
    ({ name }) => name,
    place,
    (name) =>
      `two values of the enum are both called ${name}; tell them apart with .meta({ enumNames: { … } })`,
  )
  refuseTwice(
    values,
    ({ number }) => number,
    place,
    (number) => `two values of the enum have the number ${number}; give each its own`,
  )

  return { kind: 'enum', ...doc, values, ...reservedOf(type, table) }
}

export function unionType(
  name: string,
  by: string,
  variants: readonly Variant[],
  doc: Documented,
  table: Table,
  place: Place,
): UnionType {
  refuseTwice(
    variants,
    ({ tag }) => String(tag),
    place,
    (tag) => `two variants are both told by ${by}: ${tag}; give each its own`,
  )
  refuseTwice(
    variants,
    variantName,
    place,
    (proto) =>
      `two variants are both called ${proto} in protobuf; give one another name with .meta({ proto: '…' }) on its object`,
  )
  refuseTwice(
    variants,
    protoJsonVariantName,
    place,
    (json) =>
      `two variants are both called ${json} in ProtoJSON; give one another name with .meta({ json: '…' }) on its object`,
  )
  refuseTwice(
    variants,
    ({ number }) => number,
    place,
    (number) => `two variants have the number ${number}; give each its own in the lock`,
  )

  return { kind: 'union', ...doc, by, variants, ...reservedOf(name, table) }
}

/** What the metadata of a variant's object says of the variant. */
export function variantNames(
  { proto, json, xml }: Meta,
  place: Place,
): Pick<Variant, 'proto' | 'json' | 'xml'> {
  if (xml?.as !== undefined) {
    throw new Undeclarable('schema_meta', place, 'a variant is always an element; leave out xml: { as }')
  }
  if (proto === oneofName) {
    throw new Undeclarable(
      'schema_meta',
      place,
      `a variant cannot be called ${oneofName} in protobuf: that is the oneof it is in`,
    )
  }
  return defined({ proto, json, xml })
}

/** A name that protobuf cannot have, or that no object of JavaScript can hold as plain data. */
export function refuseFieldName(property: string, meta: Meta, place: Place): void {
  if (property !== '__proto__') {
    if (/^[A-Za-z_]\w*$/.test(protoName({ name: property, proto: meta.proto }))) return

    throw new Undeclarable(
      'schema_meta',
      place,
      "the field's name makes no name in protobuf; give it one of letters, digits and _ with .meta({ proto: '…' })",
    )
  }

  throw new Undeclarable(
    'schema_place',
    place,
    'a field called __proto__ would change the object itself; call it otherwise',
  )
}

function refuseTwice<T, K>(
  all: readonly T[],
  keyOf: (one: T) => K,
  place: Place,
  message: (key: K) => string,
): void {
  const seen = new Set<K>()

  for (const one of all) {
    const key = keyOf(one)

    if (seen.has(key)) throw new Undeclarable('schema_conflict', place, message(key))
    seen.add(key)
  }
}
