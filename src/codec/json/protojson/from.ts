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
import { broken } from '../../checks.ts'
import type { FieldLayout, Layout, MessageLayout, ValueLayout } from '../../protobuf/message-layout.ts'
import { compileDefault, compileFrom, isObject, own, refuseUnknown, type From } from '../from.ts'
import { keyOf } from '../key.ts'
import { wrong, type Leaf } from '../leaves.ts'
import { setOwn } from '../../set-own.ts'
import { mismatch, report, wantedInJson, type Walk } from '../walk.ts'
import { enumLeaf, scalarLeaf, wellKnownLeaf } from './leaves.ts'
import { jsonName, pathKey } from './names.ts'

interface Context {
  readonly schema: Schema
  readonly depth: number
  /** Messages, each compiled once; the indirection lets them refer to themselves. */
  readonly messages: Map<MessageLayout, { from: From }>
}

export function compileProtoFrom(schema: Schema, layout: Layout, depth: number): From {
  return messageFrom(layout.root, { schema, depth, messages: new Map() })
}

function messageFrom(message: MessageLayout, context: Context): From {
  const known = context.messages.get(message)
  if (known !== undefined) return (json, walk, depth) => known.from(json, walk, depth)

  const holder: { from: From } = { from: () => undefined }
  context.messages.set(message, holder)
  holder.from = limited(compileMessage(message, context), context)
  return holder.from
}

function limited(from: From, { depth: maximum }: Context): From {
  return (json, walk, depth) =>
    depth < maximum ? from(json, walk, depth) : report(walk, depth, `nested deeper than ${maximum} levels`)
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
function fieldFrom(field: FieldLayout, context: Context): From {
  if (field.shape === 'repeated') return listFrom(field, context)
  if (field.shape === 'map') return mapFrom(field, context)
  return valueFrom(field.value, context)
}

function listFrom({ type, value }: FieldLayout, context: Context): From {
  const element = valueFrom(value, context)
  const isBroken = broken(type)
  const wanted = wantedInJson(type, context.schema.types)

  return limited((json, walk, depth) => {
    if (!Array.isArray(json)) return mismatch(walk, depth, wanted, json)

    const list: unknown[] = []
    for (let index = 0; index < json.length; index++) {
      walk.path[depth] = index
      list.push(element(json[index], walk, depth + 1))
    }
    if (type.kind !== 'list' || type.js === 'array') {
      return isBroken?.(list) ? mismatch(walk, depth, wanted, json) : list
    }

    const set = new Set(list)
    if (set.size !== list.length) return report(walk, depth, 'expected a list without duplicates')
    return isBroken?.(set) ? mismatch(walk, depth, wanted, json) : set
  }, context)
}

function mapFrom({ type, value }: FieldLayout, context: Context): From {
  if (type.kind !== 'map') throw new TypeError(`a map field has the type "${type.kind}"`)
  const key = keyOf(type.key, type.js, context.schema.types)
  const wantedKey = wantedInJson(type.key, context.schema.types)
  const element = valueFrom(value, context)
  const isBroken = broken(type)
  const wanted = wantedInJson(type, context.schema.types)

  return limited((json, walk, depth) => {
    if (!isObject(json)) return mismatch(walk, depth, wanted, json)

    const record: Record<string, unknown> = {}
    const map = new Map<unknown, unknown>()
    for (const name of Object.keys(json)) {
      walk.path[depth] = name
      const ownKey = key.from(name)
      if (ownKey === wrong) {
        report(walk, depth + 1, `expected ${wantedKey} as the key`)
        continue
      }
      const entry = element(json[name], walk, depth + 1)
      if (type.js === 'map') map.set(ownKey, entry)
      else setOwn(record, name, entry)
    }

    for (const name of type.keys ?? []) {
      if (Object.hasOwn(json, name)) continue
      walk.path[depth] = name
      mismatch(walk, depth + 1, wantedInJson(type.of.type, context.schema.types), undefined)
    }

    const result = type.js === 'map' ? map : record
    return isBroken?.(result) ? mismatch(walk, depth, wanted, json) : result
  }, context)
}

function valueFrom(value: ValueLayout, context: Context): From {
  switch (value.kind) {
    case 'message':
      return messageFrom(value.of, context)
    case 'scalar':
      return leafFrom(scalarLeaf(value), value.type, context)
    case 'enum':
      return leafFrom(enumLeaf(value.of), value.type, context)
    case 'known': {
      const leaf = wellKnownLeaf(value.proto, value.type)
      if (leaf !== undefined) return leafFrom(leaf, value.type, context)
      return anyFrom(value.proto, value.type, context)
    }
  }
}

function leafFrom(leaf: Leaf, type: Type, context: Context): From {
  const isBroken = broken(type)
  const wanted = wantedInJson(type, context.schema.types)

  return (json, walk, depth) => {
    const value = leaf.from(json)
    if (value === wrong || isBroken?.(value)) return mismatch(walk, depth, wanted, json)
    return value
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
