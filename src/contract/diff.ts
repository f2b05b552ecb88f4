/**
 * The differences between two descriptions of one contract: what a handshake tells peers whose digests differ, and what
 * `trunkline diff` prints.
 *
 * Breaking is what makes one side misread or refuse what the other sends in good faith: a number, a type or a presence that
 * changed, a required field or an enum value that only one side knows. What one side simply does not know (an operation, a
 * fault, a field that may be left out) is not: nothing else suffers from it.
 */
import type { EnumType, Field, Named, ObjectType, Slot, UnionType } from '../schema/type.ts'
import type {
  CallDescription,
  ContractDescription,
  FaultDescription,
  MessageDescription,
  OperationDescription,
} from './describe.ts'

/** One thing in which two descriptions of a contract differ. */
export interface Difference {
  /** `Order.quantity`, or `place` for an operation. */
  readonly path: string
  /** What it is here, for people; `undefined`: it is not there. */
  readonly ours: string | undefined
  readonly theirs: string | undefined
  /** The wire that alone notices; `undefined`: all of them do. */
  readonly wire: 'rest' | 'grpc' | 'soap' | undefined
  readonly breaking: boolean
  /** One sentence. */
  readonly message: string
}

type Report = (
  path: string,
  ours: string | undefined,
  theirs: string | undefined,
  breaking: boolean,
  what: string,
  wire?: Difference['wire'],
) => void

/**
 * All differences between our description of a contract and theirs, in the order of ours. Docs, scopes and default
 * time-outs are each side's own and are not compared.
 *
 * @example
 * ```ts
 * import { call, contract, contractInfo, describe, diff } from 'trunkline'
 * import * as z from 'zod'
 * import assert from 'node:assert/strict'
 *
 * const of = (total: z.ZodType) =>
 *   describe(contractInfo(contract('acme.bills.v1', { pay: call({ input: z.object({ total }) }) })))
 * const [difference] = diff(of(z.int32()), of(z.int64()))
 * assert.equal(difference?.path, 'PayRequest.total')
 * assert.equal(difference?.breaking, true)
 * ```
 */
export function diff(ours: ContractDescription, theirs: ContractDescription): readonly Difference[] {
  const differences: Difference[] = []

  const report: Report = (path, our, their, breaking, what, wire) => {
    differences.push({
      path,
      ours: our,
      theirs: their,
      wire,
      breaking,
      message: `${path}: ${what}${our !== undefined && their !== undefined ? ` is ${our} here and ${their} there` : ''}`,
    })
  }

  if (ours.name !== theirs.name) report('contract', ours.name, theirs.name, true, 'the name')
  if (ours.grpcService !== theirs.grpcService) {
    report('contract', ours.grpcService, theirs.grpcService, true, 'the gRPC service', 'grpc')
  }
  if (ours.soapNamespace !== theirs.soapNamespace) {
    report('contract', ours.soapNamespace, theirs.soapNamespace, true, 'the SOAP namespace', 'soap')
  }

  for (const [name, our, their] of pairs(ours.operations, theirs.operations)) {
    if (our === undefined) report(name, undefined, their?.kind, false, 'this operation is only there')
    else if (their === undefined) report(name, our.kind, undefined, false, 'this operation is only here')
    else compareOperations(name, our, their, report)
  }

  for (const [name, our, their] of pairs(ours.types, theirs.types)) {
    // A type on one side alone is reported where it is used.
    if (our !== undefined && their !== undefined) compareNamed(name, our, their, report)
  }

  return differences
}

function compareOperations(
  name: string,
  our: OperationDescription,
  their: OperationDescription,
  report: Report,
): void {
  if (our.kind === 'call' && their.kind === 'call') compareCalls(name, our, their, report)
  else if (our.kind === 'task' && their.kind === 'task') {
    compareMessages(`${name} input`, our.input, their.input, report)
    compareMessages(`${name} output`, our.output, their.output, report)
  } else if (our.kind === 'event' && their.kind === 'event') {
    compareMessages(`${name} payload`, our.payload, their.payload, report)
    if (our.orderBy !== their.orderBy) {
      report(`${name} orderBy`, String(our.orderBy), String(their.orderBy), false, 'the order')
    }
  } else if (our.kind === 'collection' && their.kind === 'collection') {
    compareMessages(`${name} key`, our.key, their.key, report)
    compareMessages(`${name} value`, our.value, their.value, report)
  } else {
    report(name, our.kind, their.kind, true, 'the kind')
    return
  }

  if (our.kind !== 'call' && their.kind !== 'call' && our.topic !== their.topic) {
    report(`${name} topic`, our.topic, their.topic, true, 'the topic')
  }
}

function compareCalls(name: string, our: CallDescription, their: CallDescription, report: Report): void {
  compareMessages(`${name} input`, our.input, their.input, report)
  compareMessages(`${name} output`, our.output, their.output, report)

  for (const [fault, ourFault, theirFault] of pairs(our.faults ?? {}, their.faults ?? {})) {
    compareFaults(`${name} fault ${fault}`, ourFault, theirFault, report)
  }

  if (our.idempotency !== their.idempotency) {
    report(
      `${name} idempotency`,
      our.idempotency ?? 'undeclared',
      their.idempotency ?? 'undeclared',
      false,
      'the idempotency',
    )
  }

  // Names on one wire each: they break that wire, and none else.
  const ourRest = our.rest as unknown as Readonly<Record<string, unknown>>
  const theirRest = their.rest as unknown as Readonly<Record<string, unknown>>
  for (const [key, ourPart, theirPart] of pairs(ourRest, theirRest)) {
    const [one, other] = [JSON.stringify(ourPart), JSON.stringify(theirPart)]
    if (one !== other)
      report(
        `${name} rest ${key}`,
        one ?? 'none',
        other ?? 'none',
        key !== 'status' && key !== 'implied',
        `${key} on REST`,
        'rest',
      )
  }

  if (our.grpc !== their.grpc)
    report(`${name} grpc`, our.grpc, their.grpc, true, 'the method on gRPC', 'grpc')

  for (const key of ['action', 'element'] as const) {
    if (our.soap[key] !== their.soap[key]) {
      report(`${name} soap ${key}`, our.soap[key], their.soap[key], true, `the ${key} on SOAP`, 'soap')
    }
  }
}

function compareFaults(
  path: string,
  our: FaultDescription | undefined,
  their: FaultDescription | undefined,
  report: Report,
): void {
  if (our === undefined) report(path, undefined, their?.code, false, 'this fault is only there')
  else if (their === undefined) report(path, our.code, undefined, false, 'this fault is only here')
  else {
    if (our.code !== their.code) report(path, our.code, their.code, true, 'the code')
    if (our.http !== their.http) report(path, String(our.http), String(their.http), false, 'the HTTP status')
    compareMessages(`${path} detail`, our.detail, their.detail, report)
  }
}

function compareMessages(
  path: string,
  our: MessageDescription | undefined,
  their: MessageDescription | undefined,
  report: Report,
): void {
  const describeOne = (message: MessageDescription | undefined) =>
    message === undefined
      ? 'nothing'
      : `${message.stream === true ? 'a stream of ' : ''}${describeSlot(message.root)}`

  const [one, other] = [describeOne(our), describeOne(their)]
  if (one !== other) report(path, one, other, true, 'it')
}

function compareNamed(name: string, our: Named, their: Named, report: Report): void {
  if (our.kind === 'object' && their.kind === 'object') compareObjects(name, our, their, report)
  else if (our.kind === 'enum' && their.kind === 'enum') compareEnums(name, our, their, report)
  else if (our.kind === 'union' && their.kind === 'union') compareUnions(name, our, their, report)
  else report(name, our.kind, their.kind, true, 'it')
}

function compareObjects(name: string, our: ObjectType, their: ObjectType, report: Report): void {
  for (const [field, ourField, theirField] of pairs(
    byKey(our.fields, fieldName),
    byKey(their.fields, fieldName),
  )) {
    const path = `${name}.${field}`

    if (ourField === undefined || theirField === undefined) {
      const [here, there] = [ourField && describeField(ourField), theirField && describeField(theirField)]
      const alone = (ourField ?? theirField) as Field
      const refuses = (ourField === undefined ? our : their).unknown === 'refuse'
      const may = mayBeLeftOut(alone)

      report(
        path,
        here,
        there,
        !may || refuses,
        `this field is only ${ourField === undefined ? 'there' : 'here'}` +
          (!may
            ? ', and it is required'
            : refuses
              ? ', and the other side refuses fields that it does not know'
              : ''),
      )
      continue
    }

    compareFields(path, ourField, theirField, report)
  }

  if (our.unknown !== their.unknown)
    report(name, our.unknown, their.unknown, false, 'what happens to unknown fields')
}

function compareFields(path: string, our: Field, their: Field, report: Report): void {
  if (our.number !== their.number) report(path, String(our.number), String(their.number), true, 'the number')

  const [ourSlot, theirSlot] = [describeSlot(our), describeSlot(their)]
  if (ourSlot !== theirSlot) report(path, ourSlot, theirSlot, true, 'the type')

  const [ourPresence, theirPresence] = [presence(our), presence(their)]
  if (ourPresence !== theirPresence) report(path, ourPresence, theirPresence, true, 'it')
  else if (JSON.stringify(our.default) !== JSON.stringify(their.default)) {
    report(path, JSON.stringify(our.default), JSON.stringify(their.default), false, 'the default')
  }

  for (const key of ['proto', 'json', 'xml'] as const) {
    const [one, other] = [our[key], their[key]].map((value) =>
      value === undefined ? 'the usual one' : JSON.stringify(value),
    )
    if (one !== other)
      report(path, one, other, true, `the name in ${key === 'proto' ? '.proto' : key.toUpperCase()}`)
  }

  compareBounds(path, our, their, report)
}

/** Bounds change what is valid, not what it looks like. */
function compareBounds(path: string, our: Slot, their: Slot, report: Report): void {
  const [one, other] = [bounds(our), bounds(their)]
  if (one !== other) report(path, one || 'unbounded', other || 'unbounded', false, 'what is valid')
}

function compareEnums(name: string, our: EnumType, their: EnumType, report: Report): void {
  const keyOf = ({ name: value }: EnumType['values'][number]) => value

  for (const [value, one, other] of pairs(byKey(our.values, keyOf), byKey(their.values, keyOf))) {
    const path = `${name}.${value}`

    if (one === undefined) report(path, undefined, String(other?.number), true, 'this value is only there')
    else if (other === undefined) report(path, String(one.number), undefined, true, 'this value is only here')
    else {
      if (one.number !== other.number)
        report(path, String(one.number), String(other.number), true, 'the number')
      if (one.value !== other.value) {
        report(path, JSON.stringify(one.value), JSON.stringify(other.value), true, 'the value in JSON')
      }
    }
  }
}

function compareUnions(name: string, our: UnionType, their: UnionType, report: Report): void {
  if (our.by !== their.by) report(name, our.by, their.by, true, 'the discriminator')

  const keyOf = ({ tag }: UnionType['variants'][number]) => JSON.stringify(tag)

  for (const [tag, one, other] of pairs(byKey(our.variants, keyOf), byKey(their.variants, keyOf))) {
    const path = `${name}.${tag}`

    if (one === undefined) report(path, undefined, other?.to, true, 'this variant is only there')
    else if (other === undefined) report(path, one.to, undefined, true, 'this variant is only here')
    else {
      if (one.number !== other.number)
        report(path, String(one.number), String(other.number), true, 'the number')
      if (one.to !== other.to) report(path, one.to, other.to, true, 'the object')
    }
  }
}

// ── In words ──

function describeField(field: Field): string {
  return `${presence(field)} ${describeSlot(field)}, number ${field.number}`
}

function presence(field: Field): string {
  if (field.optional === true) return 'optional'
  return field.default === undefined ? 'required' : 'defaulted'
}

function mayBeLeftOut(field: Field): boolean {
  return field.optional === true || field.default !== undefined
}

/** The type without its bounds: `int64 as bigint`, `list of Order or null`. */
function describeSlot(slot: Slot): string {
  const protobuf = slot.protobuf === undefined ? '' : ` (${slot.protobuf})`

  return `${describeType(slot)}${protobuf}${slot.nullable === true ? ' or null' : ''}`
}

function describeType({ type }: Slot): string {
  switch (type.kind) {
    case 'int':
      return `${type.signed ? '' : 'u'}int${type.bits}${type.bits === 64 ? ` as ${type.js}` : ''}`
    case 'float':
      return `float${type.bits}${type.nonFinite === true ? ' with NaN' : ''}`
    case 'literal':
      return type.values
        .map((value) => JSON.stringify(value))
        .toSorted()
        .join(' | ')
    case 'list':
      return `${type.js === 'set' ? 'set' : 'list'} of ${describeSlot(type.of)}`
    case 'tuple':
      return `tuple of ${type.items.map(describeSlot).join(', ')}${type.rest === undefined ? '' : ` and ${describeSlot(type.rest)}s`}`
    case 'map':
      return `${type.js === 'map' ? 'Map' : 'record'} of ${describeType({ type: type.key })} to ${describeSlot(type.of)}${type.keys === undefined ? '' : ` with ${type.keys.toSorted().join(', ')}`}`
    case 'ref':
      return type.to
    case 'string':
      return type.format === undefined ? 'string' : `string (${type.format})`
    default:
      return type.kind
  }
}

/** All bounds of a slot and of what it holds, in one order. */
function bounds({ type }: Slot): string {
  const own = 'checks' in type ? (type.checks ?? []) : []
  const texts = own.map((check) =>
    check.check === 'pattern'
      ? `/${check.source}/${check.flags}`
      : `${check.check} ${check.value}${'exclusive' in check && check.exclusive === true ? ' exclusive' : ''}`,
  )
  const inner =
    type.kind === 'list' || type.kind === 'map'
      ? [bounds(type.of)]
      : type.kind === 'tuple'
        ? type.items.map(bounds)
        : []

  return [...texts.toSorted(), ...inner.filter((text) => text !== '').map((text) => `each ${text}`)].join(
    ', ',
  )
}

// ── Side by side ──

function fieldName({ name }: Field): string {
  return name
}

function byKey<T>(elements: readonly T[], keyOf: (element: T) => string): Readonly<Record<string, T>> {
  return Object.fromEntries(elements.map((element) => [keyOf(element), element]))
}

/** What is in either record, by key: ours in our order, then what only they have. */
function pairs<T>(
  ours: Readonly<Record<string, T>>,
  theirs: Readonly<Record<string, T>>,
): [key: string, ours: T | undefined, theirs: T | undefined][] {
  const keys = new Set([...Object.keys(ours), ...Object.keys(theirs)])

  return [...keys].map((key) => [
    key,
    Object.hasOwn(ours, key) ? ours[key] : undefined,
    Object.hasOwn(theirs, key) ? theirs[key] : undefined,
  ])
}
