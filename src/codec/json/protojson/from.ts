/**
 * From a JSON tree to a valid value by the rules of ProtoJSON (https://protobuf.dev/programming-guides/json), compiled
 * from the protobuf layout of a schema, so that both agree on what is a message, a box and absent.
 *
 *   object                    { "<lowerCamelCase or proto name>": … }; null is absent; unknown keys are ignored, unless
 *                             the type refuses them; of a oneof at most one
 *   union (a oneof)           { "<variant>": { … } }, exactly one
 *   tuple, box                { "item1": …, "rest": [ … ] }, { "value": … }
 *   wrappers, Value, Struct   the bare value
 */
import type { Schema, Type } from '../../../schema/type.ts'
import type { FieldLayout, Layout, MessageLayout, ValueLayout } from '../../protobuf/message-layout.ts'
import {
  compileDefault,
  compileFrom,
  type From,
  isObject,
  leafFrom,
  listFrom,
  mapFrom,
  own,
  refuseUnknown,
} from '../from.ts'
import { setOwn } from '../../set-own.ts'
import { compileOnce, limited, mismatch, type NamedSteps, report, wantedInJson, type Walk } from '../walk.ts'
import { enumLeaf, scalarLeaf, wellKnownLeaf } from './leaves.ts'
import { jsonName, pathKey } from './names.ts'

interface Context {
  readonly schema: Schema
  readonly depth: number
  readonly messages: NamedSteps<MessageLayout, unknown, unknown>
}

export function compileProtoFrom(schema: Schema, layout: Layout, depth: number): From {
  return messageFrom(layout.root, { schema, depth, messages: new Map() })
}

function messageFrom(message: MessageLayout, context: Context): From {
  return compileOnce(context.messages, message, () =>
    limited(compileMessage(message, context), context.depth),
  )
}

function compileMessage(message: MessageLayout, context: Context): From {
  switch (message.kind) {
    case 'wrapper':
      return valueFrom(message.fields[0]!.value, context)
    case 'known':
      return valueFrom(message.known!, context)
    case 'box':
      return boxFrom(message, context)
    case 'union':
      return unionFrom(message, context)
    case 'tuple':
      return tupleFrom(message, context)
    case 'object':
      return objectFrom(message, context)
  }
}

interface Member {
  readonly key: string
  readonly alias: string
  readonly property: string
  readonly path: string | number
  readonly sensitive: boolean
  /** google.protobuf.Value has a null of its own. */
  readonly hasNull: boolean
  readonly from: From
  readonly absent: From
}

function memberOf(field: FieldLayout, context: Context, tuple = false): Member {
  const { value } = field
  return {
    key: jsonName(field),
    alias: field.name,
    property: field.property,
    path: pathKey(field, tuple),
    sensitive: field.sensitive,
    hasNull: value.kind === 'known' && value.proto === 'google.protobuf.Value' && field.shape === 'single',
    from: fieldFrom(field, context),
    absent: absentFrom(field, context),
  }
}

function readMember(member: Member, object: Record<string, unknown>, walk: Walk, depth: number): unknown {
  let json = own(object, member.key)
  if (json === undefined) json = own(object, member.alias)

  walk.path[depth] = member.path
  const absent = json === undefined || (json === null && !member.hasNull)
  if (!member.sensitive) {
    return absent ? member.absent(undefined, walk, depth + 1) : member.from(json, walk, depth + 1)
  }

  walk.hidden++
  const value = absent ? member.absent(undefined, walk, depth + 1) : member.from(json, walk, depth + 1)
  walk.hidden--
  return value
}

function objectFrom(message: MessageLayout, context: Context): From {
  const members = message.fields.map((field) => memberOf(field, context))
  const oneofs = oneofsOf(message, members)
  const known = new Set(members.flatMap(({ key, alias }) => [key, alias]))
  const refuse = message.object?.unknown === 'refuse'

  return (json, walk, depth) => {
    if (!isObject(json)) return mismatch(walk, depth, 'an object', json)

    const object: Record<string, unknown> = {}
    for (const member of members) {
      const value = readMember(member, json, walk, depth)
      if (value !== undefined) setOwn(object, member.property, value)
    }
    for (const oneof of oneofs) {
      const given = oneof.filter((member) => isGiven(member, json))
      if (given.length > 1) report(walk, depth, `expected at most one of ${namesOf(given)}`)
    }
    if (refuse) refuseUnknown(json, known, walk, depth)
    return object
  }
}

/** The members of each oneof of a foreign message. */
function oneofsOf(message: MessageLayout, members: readonly Member[]): readonly (readonly Member[])[] {
  const oneofs = new Map<string, Member[]>()
  for (const [index, { field }] of message.fields.entries()) {
    if (field?.oneof === undefined) continue
    const oneof = oneofs.get(field.oneof) ?? []
    oneofs.set(field.oneof, [...oneof, members[index]!])
  }
  return [...oneofs.values()]
}

function namesOf(members: readonly Member[]): string {
  return members.map(({ key }) => JSON.stringify(key)).join(', ')
}

function tupleFrom(message: MessageLayout, context: Context): From {
  const count = message.tuple!.items.length
  const items = message.fields.slice(0, count).map((field) => memberOf(field, context, true))
  const rest = message.fields[count] === undefined ? undefined : memberOf(message.fields[count], context)

  return (json, walk, depth) => {
    if (!isObject(json)) return mismatch(walk, depth, `an object with "item1" to "item${count}"`, json)

    const tuple = items.map((item) => readMember(item, json, walk, depth))
    if (rest === undefined) return tuple
    const more = readMember(rest, json, walk, depth)
    return Array.isArray(more) ? tuple.concat(more) : tuple
  }
}

function boxFrom(message: MessageLayout, context: Context): From {
  const member = memberOf(message.fields[0]!, context)
  return (json, walk, depth) => {
    if (!isObject(json)) return mismatch(walk, depth, `an object with "${member.key}"`, json)
    return readMember(member, json, walk, depth)
  }
}

function unionFrom(message: MessageLayout, context: Context): From {
  const members = message.fields.map((field) => memberOf(field, context))
  const wanted = `an object with one of ${namesOf(members)}`

  return (json, walk, depth) => {
    if (!isObject(json)) return mismatch(walk, depth, wanted, json)

    const given = members.filter((member) => isGiven(member, json))
    if (given.length > 1) return report(walk, depth, `expected ${wanted}, got ${given.length} of them`)
    if (given.length === 0) return mismatch(walk, depth, wanted, undefined)
    return readMember(given[0]!, json, walk, depth)
  }
}

function isGiven(member: Member, object: Record<string, unknown>): boolean {
  return (own(object, member.key) ?? own(object, member.alias) ?? null) !== null
}

/** A whole field: a list and a map, too. */
function fieldFrom({ shape, type, value }: FieldLayout, context: Context): From {
  const from = valueFrom(value, context)
  const { types } = context.schema
  if (shape === 'repeated') return limited(listFrom(type, types, from), context.depth)
  if (shape === 'map' && type.kind === 'map') return limited(mapFrom(type, types, from), context.depth)
  return from
}

function valueFrom(value: ValueLayout, context: Context): From {
  switch (value.kind) {
    case 'message':
      return messageFrom(value.of, context)
    case 'scalar':
      return leafFrom(scalarLeaf(value), value.type, context.schema.types)
    case 'enum':
      return leafFrom(enumLeaf(value.of), value.type, context.schema.types)
    case 'known': {
      const leaf = wellKnownLeaf(value.proto, value.type)
      if (leaf !== undefined) return leafFrom(leaf, value.type, context.schema.types)
      return anyFrom(value.proto, value.type, context)
    }
  }
}

/** Value, Struct and ListValue hold any JSON, just as our own dialect has it. */
function anyFrom(proto: string, type: Type, context: Context): From {
  const from = compileFrom({ root: { type }, types: context.schema.types }, context.depth)
  if (type.kind !== 'json') return from

  return (json, walk, depth) => {
    if (proto === 'google.protobuf.Struct' && !isObject(json)) return mismatch(walk, depth, 'an object', json)
    if (proto === 'google.protobuf.ListValue' && !Array.isArray(json))
      return mismatch(walk, depth, 'a list', json)
    return from(json, walk, depth)
  }
}

/** What a field is that was left out. Zero values are values like others: they are validated. */
function absentFrom(field: FieldLayout, context: Context): From {
  switch (field.absent) {
    case 'undefined':
      return () => undefined
    case 'null':
      return () => null
    case 'default':
      return compileDefault({ ...field, nullable: field.field?.nullable }, context.schema, context.depth)
    case 'empty': {
      const from = fieldFrom(field, context)
      const empty = field.shape === 'map' ? {} : []
      return (_json, walk, depth) => from(empty, walk, depth)
    }
    case 'zero': {
      const from = valueFrom(field.value, context)
      const zero = zeroOf(field.value)
      return (_json, walk, depth) => from(zero, walk, depth)
    }
    case 'missing':
      return (_json, walk, depth) =>
        mismatch(walk, depth, wantedInJson(field.type, context.schema.types), undefined)
  }
}

function zeroOf(value: ValueLayout): unknown {
  if (value.kind === 'enum') return 0
  if (value.kind === 'message')
    return value.of.kind === 'wrapper' ? zeroOf(value.of.fields[0]!.value) : undefined
  if (value.kind === 'known') return undefined
  if (value.type.kind === 'literal' && value.type.values.length === 1) return value.type.values[0]

  switch (value.proto) {
    case 'string':
    case 'bytes':
      return ''
    case 'bool':
      return false
    default:
      return 0
  }
}
