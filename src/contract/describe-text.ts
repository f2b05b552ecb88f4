/** A contract as people read it: what `trunkline describe` prints. */
import type { EnumType, Field, Named, ObjectType, Slot, Types, UnionType } from '../schema/type.ts'
import type { CallOperation, ContractInfo, FaultInfo, Message, Operation } from './operation.ts'
import { bounds, describeSlot, presence } from './type-in-words.ts'

/**
 * Writes a contract down for people: operations with their kinds, names on the wires, messages and faults, then all named
 * types with their field numbers.
 *
 * @returns Text of several lines, without a line break at its end.
 *
 * @example
 * ```ts
 * import { call, contract, contractInfo, describeText } from 'trunkline'
 * import assert from 'node:assert/strict'
 *
 * const Ping = contract('acme.ping.v1', { ping: call({ rest: 'GET /ping' }) })
 * assert.match(describeText(contractInfo(Ping)), /^acme\.ping\.v1\b[^]*GET \/ping/)
 * ```
 */
export function describeText(info: ContractInfo): string {
  const { name, doc, locked, digest, grpcService, types, operations } = info
  const numbers = locked ? 'from the lock' : 'by order of declaration, since there is no lock'

  const blocks = [
    [
      `${name}${doc === undefined ? '' : `  ${doc}`}`,
      `  digest ${digest}, field numbers ${numbers}, gRPC service ${grpcService}`,
    ],
    ...[...operations.values()].map(operationLines),
    ...Object.entries(types).map(([each, type]) => typeLines(each, type, types)),
  ]

  return blocks.map((lines) => lines.join('\n')).join('\n\n')
}

function operationLines(operation: Operation): string[] {
  const { name, kind, doc, deprecated, scopes } = operation
  const heading = `${kind} ${name}${deprecated === true ? ' (deprecated)' : ''}${doc === undefined ? '' : `  ${doc}`}`
  const rest = scopes.length === 0 ? [] : [`  scopes  ${scopes.join(', ')}`]

  switch (operation.kind) {
    case 'call':
      return [heading, ...callLines(operation), ...rest]
    case 'event':
      return [
        heading,
        `  payload ${message(operation.payload)}`,
        `  topic   ${operation.topic}${operation.orderBy === undefined ? '' : `, in order by ${operation.orderBy}`}`,
        ...rest,
      ]
    case 'task':
      return [
        heading,
        `  input   ${message(operation.input)}`,
        `  output  ${message(operation.output)}`,
        `  topic   ${operation.topic}`,
        ...rest,
      ]
    case 'collection':
      return [
        heading,
        `  key     ${message(operation.key)}`,
        `  value   ${message(operation.value)}`,
        `  topic   ${operation.topic}`,
        ...rest,
      ]
  }
}

function callLines(operation: CallOperation): string[] {
  const { input, output, faults, rest, grpc, idempotency, timeout } = operation
  const settings = [
    ...(idempotency === undefined ? [] : [idempotency]),
    ...(timeout === undefined ? [] : [`at most ${timeout} ms`]),
  ]

  return [
    `  input   ${message(input)}`,
    `  output  ${message(output)}`,
    ...Object.values(faults).map(faultLine),
    `  REST    ${rest.method} ${rest.path} → ${rest.status}`,
    `  gRPC    ${grpc}`,
    ...(settings.length === 0 ? [] : [`  is      ${settings.join(', ')}`]),
  ]
}

function faultLine({ name, code, detail, http, doc }: FaultInfo): string {
  const status = http === undefined ? '' : `, HTTP ${http}`
  const carried = detail === undefined ? '' : ` with ${detail.name}`
  return `  fault   ${name}: ${code}${status}${carried}${doc === undefined ? '' : `  ${doc}`}`
}

function message(of: Message | undefined): string {
  if (of === undefined) return 'nothing'
  return `${of.stream ? 'stream of ' : ''}${describeSlot(of.schema.root)}`
}

function typeLines(name: string, type: Named, types: Types): string[] {
  const heading = `type ${name}${type.doc === undefined ? '' : `  ${type.doc}`}`

  switch (type.kind) {
    case 'object':
      return [heading, ...objectLines(type)]
    case 'enum':
      return [heading, ...enumLines(type)]
    case 'union':
      return [heading, ...unionLines(type, types)]
  }
}

function objectLines({ fields }: ObjectType): string[] {
  if (fields.length === 0) return ['  no fields']
  const names = Math.max(...fields.map((field) => field.name.length))

  return fields.map((field) => {
    const limits = bounds(withoutPattern(field))
    const how = presence(field) === 'required' ? '' : `${presence(field)} `
    const usual = field.default === undefined ? '' : ` = ${JSON.stringify(field.default)}`
    const doc = field.doc === undefined ? '' : `  ${field.doc}`
    return `  ${String(field.number).padStart(3)} ${field.name.padEnd(names)}  ${how}${describeSlot(field)}${usual}${ownNames(field)}${
      limits === '' ? '' : ` (${limits})`
    }${doc}`
  })
}

/** A format's name says more than the expression that a schema library checks it with. */
function withoutPattern(slot: Slot): Slot {
  const { type } = slot
  if (type.kind !== 'string' || type.format === undefined) return slot
  return { type: { ...type, checks: type.checks?.filter(({ check }) => check !== 'pattern') } }
}

function enumLines({ values }: EnumType): string[] {
  return values.map(({ number, value, doc }) => {
    return `  ${String(number).padStart(3)} ${JSON.stringify(value)}${doc === undefined ? '' : `  ${doc}`}`
  })
}

function unionLines({ by, variants }: UnionType, types: Types): string[] {
  return variants.map(({ tag, to, number, ...names }) => {
    const doc = types[to]?.doc
    return `  ${String(number).padStart(3)} ${by} ${JSON.stringify(tag)}: ${to}${ownNames(names)}${doc === undefined ? '' : `  ${doc}`}`
  })
}

/** ` (card_payment in .proto)`: names that were chosen, and do not follow from the others. */
function ownNames({ proto, json, xml }: Pick<Field, 'proto' | 'json' | 'xml'>): string {
  const names = [
    ...(proto === undefined ? [] : [`${proto} in .proto`]),
    ...(json === undefined ? [] : [`${json} in JSON`]),
    ...(xml?.name === undefined ? [] : [`${xml.name} in XML`]),
  ]
  return names.length === 0 ? '' : ` (${names.join(', ')})`
}
