/** What REST can carry. Most of it is decided when the contract is declared; see contract/rest.ts. */
import type { Operation } from '../../contract/operation.ts'
import type { Slot, Types } from '../../schema/type.ts'
import { problemPrefix } from './ndjson.ts'
import { objectOf } from './input.ts'
import { jsonName } from '../../schema/names.ts'

const withoutBody = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS'])
const reserved = JSON.parse(`${problemPrefix}0}`) as object

/** `true`, or why not. */
export function supports(operation: Operation): true | string {
  if (operation.kind !== 'call') return `${operation.id} is ${article(operation.kind)}; REST carries calls`

  const { id, input, output, rest } = operation
  if (input?.stream === true && withoutBody.has(rest.method)) {
    return `${id}: a streamed input is a body, which ${rest.method} has not; use POST`
  }
  if (rest.method === 'HEAD' && output !== undefined) {
    return `${id}: an answer to HEAD has no body, so there can be no output; use GET, which answers HEAD too`
  }

  if (input !== undefined && !input.stream) {
    const object = objectOf(input)
    const outside = [...rest.parameters, ...rest.query, ...Object.keys(rest.headers)]
    for (const name of outside) {
      const field = object?.fields.find((candidate) => candidate.name === name)
      if (field === undefined) return `${id}: '${name}' is not a field of the input`
      if (!isListable(field, input.schema.types)) {
        return `${id}: '${name}' is neither a scalar nor a list of scalars, so it needs a body; use POST, PUT or PATCH`
      }
    }
  }

  for (const message of [input, output]) {
    if (message?.stream !== true) continue
    const clash = objectOf(message)?.fields.find((field) => jsonName(field) in reserved)
    if (clash !== undefined) {
      return `${id}: the field '${jsonName(clash)}' marks an error in a stream over REST; call it something else`
    }
  }

  return true
}

function isListable(slot: Slot, types: Types): boolean {
  const { type } = slot
  if (slot.nullable === true) return false
  return (
    isScalar(type, types) ||
    (type.kind === 'list' && type.of.nullable !== true && isScalar(type.of.type, types))
  )
}

function isScalar(type: Slot['type'], types: Types): boolean {
  if (type.kind === 'ref') return types[type.to]?.kind === 'enum'
  return ['string', 'int', 'float', 'bool', 'instant', 'literal'].includes(type.kind)
}

function article(kind: string): string {
  return kind === 'event' ? 'an event' : `a ${kind}`
}
