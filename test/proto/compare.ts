/** Two services as wires see them: what differs between their methods and messages, field by field. */
import type {
  FieldDescriptor,
  MessageDescriptor,
  ServiceDescriptor,
} from '../../src/wires/grpc/proto/descriptor.ts'
import type { Declarations } from '../../src/wires/grpc/proto/load.ts'
import { wellKnownPath } from '../../src/wires/grpc/proto/well-known.ts'

export interface Difference {
  /** What differs: `packed`, `presence`, `missing field`, … */
  readonly what: string
  readonly about: string
}

/** A service with the declarations that it is found in. */
export interface Side {
  readonly service: ServiceDescriptor
  readonly declarations: Declarations
}

/** Names, numbers, types, cardinality, packing and oneofs of all that can be reached from the methods. */
export function wireDifferences(one: Side, other: Side): Difference[] {
  const found: Difference[] = []
  const seen = new Set<string>()
  const note = (what: string, about: string): number => found.push({ what, about })

  for (const method of one.service.methods) {
    const same = other.service.methods.find(({ name }) => name === method.name)
    if (same === undefined) {
      note('missing method', method.name)
      continue
    }
    if (method.clientStreaming !== same.clientStreaming || method.serverStreaming !== same.serverStreaming)
      note('streaming', method.name)
    if (method.idempotency !== same.idempotency) note('idempotency', method.name)
    messages(method.input, same.input)
    messages(method.output, same.output)
  }
  if (one.service.methods.length !== other.service.methods.length) note('methods', one.service.name)
  return found

  function messages(name: string, otherName: string): void {
    const waiting: [string, string][] = [[name, otherName]]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const [left, right] = next
      if (seen.has(left)) continue
      seen.add(left)
      if (left !== right) note('name', `${left}, ${right}`)

      const message = one.declarations.messages.get(left)
      const same = other.declarations.messages.get(right)
      const isKnown = wellKnownPath(left) !== undefined && left === right
      if (message === undefined || same === undefined) {
        if (!isKnown) note('missing message', left)
      } else fields(message, same, waiting)
    }
  }

  function fields(message: MessageDescriptor, same: MessageDescriptor, waiting: [string, string][]): void {
    for (const field of message.fields) {
      const about = `${message.name}.${field.name}`
      const counterpart = same.fields.find(({ number }) => number === field.number)
      if (counterpart === undefined) {
        note('missing field', about)
        continue
      }
      for (const property of compared) {
        if (field[property] !== counterpart[property]) note(property, about)
      }
      types(field, counterpart, about, waiting)
    }
    if (same.fields.length > message.fields.length) note('more fields', message.name)
  }

  function types(
    { type }: FieldDescriptor,
    { type: same }: FieldDescriptor,
    about: string,
    waiting: [string, string][],
  ): void {
    if (type.kind === 'scalar' || same.kind === 'scalar') {
      const isSame = type.kind === 'scalar' && same.kind === 'scalar' && type.scalar === same.scalar
      if (!isSame) note('type', about)
    } else if (type.kind !== same.kind) note('type', about)
    else if (type.kind === 'message') waiting.push([type.name, same.name])
    else enums(type.name, same.name)
  }

  function enums(name: string, otherName: string): void {
    if (seen.has(name)) return
    seen.add(name)
    if (name !== otherName) note('name', `${name}, ${otherName}`)

    const left = one.declarations.enums.get(name)
    const right = other.declarations.enums.get(otherName)
    if (left?.closed !== right?.closed) note('closed enum', name)
    // Of the names of one number the first is kept.
    const firsts = (left?.values ?? []).filter(
      ({ number }, index, all) => all.findIndex((value) => value.number === number) === index,
    )
    const isKept = ({ name: value, number }: (typeof firsts)[number]): boolean =>
      right?.values.some((kept) => kept.name === value && kept.number === number) === true
    if (!firsts.every(isKept)) note('enum values', name)
  }
}

const compared = ['name', 'shape', 'presence', 'packed', 'key', 'oneof', 'delimited', 'jsonName'] as const
