/**
 * From a value to JSON by the rules of ProtoJSON, compiled from the protobuf layout of a schema. Zero values of fields
 * without presence, empty lists and empty maps are left out. The forms are those that `from.ts` lists.
 */
import type { Json, Schema, Type } from '../../../schema/type.ts'
import { expected } from '../../checks.ts'
import type { FieldLayout, Layout, MessageLayout, ValueLayout } from '../../protobuf/message-layout.ts'
import { isObject } from '../from.ts'
import { setOwn } from '../../set-own.ts'
import { compileTo, leafTo, listTo, mapTo, type To } from '../to.ts'
import { compileOnce, limited, mismatch, type NamedSteps, type Walk } from '../walk.ts'
import { enumLeaf, scalarLeaf, wellKnownLeaf } from './leaves.ts'
import { jsonName } from './names.ts'

interface Context {
  readonly schema: Schema
  readonly depth: number
  readonly messages: NamedSteps<MessageLayout, unknown, Json | undefined>
}

export function compileProtoTo(schema: Schema, layout: Layout, depth: number): To {
  return messageTo(layout.root, { schema, depth, messages: new Map() })
}

function messageTo(message: MessageLayout, context: Context): To {
  return compileOnce(context.messages, message, () =>
    limited(compileMessage(message, context), context.depth),
  )
}

function compileMessage(message: MessageLayout, context: Context): To {
  switch (message.kind) {
    case 'wrapper':
      return valueTo(message.fields[0]!.value, context)
    case 'known':
      return valueTo(message.known!, context)
    case 'box':
      return boxTo(message, context)
    case 'union':
      return unionTo(message, context)
    case 'tuple':
      return tupleTo(message, context)
    case 'object':
      return objectTo(message, context)
  }
}

interface Member {
  readonly key: string
  readonly property: string
  readonly inherited: boolean
  readonly optional: boolean
  readonly nullable: boolean
  readonly sensitive: boolean
  readonly isZero: (json: Json) => boolean
  readonly to: To
}

function memberOf(field: FieldLayout, context: Context): Member {
  return {
    key: jsonName(field),
    property: field.property,
    inherited: field.property in Object.prototype,
    optional: field.optional,
    nullable: field.nullable,
    sensitive: field.sensitive,
    isZero: zeroTest(field),
    to: fieldTo(field, context),
  }
}

function zeroTest(field: FieldLayout): (json: Json) => boolean {
  if (field.shape === 'repeated') return (json) => (json as readonly Json[]).length === 0
  if (field.shape === 'map') return (json) => Object.keys(json as object).length === 0
  if (field.presence === 'explicit') return () => false

  const { value } = field
  if (value.kind === 'enum') {
    const zero = value.of.values.find(({ number }) => number === 0)?.name
    return (json) => json === zero
  }
  return (json) =>
    json === '' || Object.is(json, 0) || json === false || (json === '0' && value.type.kind !== 'string')
}

function writeMember(
  member: Member,
  value: unknown,
  into: Record<string, Json>,
  path: string | number,
  walk: Walk,
  depth: number,
): void {
  if ((value === undefined && member.optional) || (value === null && member.nullable)) return

  walk.path[depth] = path
  if (member.sensitive) walk.hidden++
  const json = member.to(value, walk, depth + 1)
  if (member.sensitive) walk.hidden--
  if (json !== undefined && !member.isZero(json)) setOwn(into, member.key, json)
}

function objectTo(message: MessageLayout, context: Context): To {
  const members = message.fields.map((field) => memberOf(field, context))

  return (value, walk, depth) => {
    if (!isObject(value)) return mismatch(walk, depth, 'an object', value)

    const object: Record<string, Json> = {}
    for (const member of members) {
      const { property } = member
      const part = member.inherited && !Object.hasOwn(value, property) ? undefined : value[property]
      writeMember(member, part, object, property, walk, depth)
    }
    return object
  }
}

function tupleTo(message: MessageLayout, context: Context): To {
  const type = message.tuple!
  const count = type.items.length
  const members = message.fields.map((field) => memberOf(field, context))
  const rest = members[count]
  const wanted = expected(type, context.schema.types)

  return (value, walk, depth) => {
    const fits =
      Array.isArray(value) && (value.length === count || (rest !== undefined && value.length > count))
    if (!fits) return mismatch(walk, depth, wanted, value)

    const object: Record<string, Json> = {}
    for (let index = 0; index < count; index++) {
      writeMember(members[index]!, value[index], object, index, walk, depth)
    }
    if (rest !== undefined) writeMember(rest, value.slice(count), object, 'rest', walk, depth)
    return object
  }
}

function boxTo(message: MessageLayout, context: Context): To {
  const member = memberOf(message.fields[0]!, context)
  return (value, walk, depth) => {
    const object: Record<string, Json> = {}
    writeMember(member, value, object, member.key, walk, depth)
    return object
  }
}

function unionTo(message: MessageLayout, context: Context): To {
  const { by } = message.oneof!
  const members = new Map<unknown, Member>()
  for (const field of message.fields) members.set(field.tag, memberOf(field, context))
  const wanted = `one of ${[...members.keys()].map((tag) => JSON.stringify(tag)).join(', ')}`

  return (value, walk, depth) => {
    if (!isObject(value)) return mismatch(walk, depth, 'an object', value)

    const member = members.get(value[by])
    if (member !== undefined) {
      const object: Record<string, Json> = {}
      writeMember(member, value, object, member.key, walk, depth)
      return object
    }
    walk.path[depth] = by
    return mismatch(walk, depth + 1, wanted, value[by])
  }
}

function fieldTo({ shape, type, value }: FieldLayout, context: Context): To {
  const to = valueTo(value, context)
  const { types } = context.schema
  if (shape === 'repeated') return limited(listTo(type, types, to), context.depth)
  if (shape === 'map' && type.kind === 'map') return limited(mapTo(type, types, to), context.depth)
  return to
}

function valueTo(value: ValueLayout, context: Context): To {
  switch (value.kind) {
    case 'message':
      return messageTo(value.of, context)
    case 'scalar':
      return leafTo(scalarLeaf(value), value.type, context.schema.types)
    case 'enum':
      return leafTo(enumLeaf(value.of), value.type, context.schema.types)
    case 'known': {
      const leaf = wellKnownLeaf(value.proto, value.type)
      if (leaf !== undefined) return leafTo(leaf, value.type, context.schema.types)
      return anyTo(value.proto, value.type, context)
    }
  }
}

function anyTo(proto: string, type: Type, context: Context): To {
  const to = compileTo({ root: { type }, types: context.schema.types }, context.depth)
  if (type.kind !== 'json') return to

  return (value, walk, depth) => {
    if (proto === 'google.protobuf.Struct' && !isObject(value))
      return mismatch(walk, depth, 'an object', value)
    if (proto === 'google.protobuf.ListValue' && !Array.isArray(value))
      return mismatch(walk, depth, 'a list', value)
    return to(value, walk, depth)
  }
}
