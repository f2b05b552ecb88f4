/** Which fields can travel in a path, a query string or a header, and which headers are free. */
import type { Field, Slot, Types } from '../schema/type.ts'
import { ContractError } from './contract-error.ts'
import type { Message } from './operation.ts'

/** Headers that the protocol itself or credentials live in. */
const headersOfHttp: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'cookie',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

const headerNameGrammar = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/

/** Throws unless a field can be a segment of a path. */
export function checkPathField(where: string, field: Field, types: Types, of: 'input' | 'output'): void {
  const optional = field.optional === true || (of === 'input' && field.default !== undefined)

  if (optional || field.nullable === true || !isScalar(field, types)) {
    throw new ContractError(
      'rest_route',
      `${where}: {${field.name}} must be a required string, number, integer, boolean, date or enum of the ${of}` +
        (optional ? '; it may be left out' : field.nullable === true ? '; it may be null' : ''),
    )
  }
}

/** Throws unless a field can be in a query string or a header. */
export function checkListable(where: string, field: Field, types: Types, there: string): void {
  const { type } = field
  const listable =
    isScalar(field, types) || (type.kind === 'list' && isScalar(type.of, types) && type.of.nullable !== true)

  if (field.nullable === true) {
    throw new ContractError(
      'rest_route',
      `${where}: '${field.name}' may be null, which has no form in ${there}; make it optional instead, or use POST`,
    )
  }

  if (!listable) {
    throw new ContractError(
      'rest_route',
      `${where}: '${field.name}' is neither a scalar nor a list of scalars, so it does not fit into ${there}; use POST, PUT or PATCH, which have a body`,
    )
  }
}

/** The header's name in lower case. Throws unless a field can have it. */
export function checkHeader(where: string, field: string, header: string, taken: readonly string[]): string {
  const name = String(header).toLowerCase()

  if (!headerNameGrammar.test(name)) {
    throw new ContractError(
      'rest_route',
      `${where}: headers: '${field}': '${header}' is no name of a header (RFC 9110, 5.1)`,
    )
  }

  if (headersOfHttp.has(name)) {
    throw new ContractError(
      'rest_route',
      `${where}: headers: '${field}': '${header}' belongs to HTTP itself; choose another, such as 'X-${header}'`,
    )
  }

  if (taken.includes(name))
    throw new ContractError('rest_route', `${where}: headers: two fields travel in '${header}'`)

  return name
}

/** The fields of a message that is an object; `undefined` for a stream and everything else. */
export function fieldsOf(message: Message | undefined): readonly Field[] | undefined {
  if (message === undefined || message.stream) return undefined

  const { root, types } = message.schema
  if (root.type.kind !== 'ref' || root.nullable === true) return undefined

  const named = types[root.type.to]
  return named?.kind === 'object' ? named.fields : undefined
}

/** Whether a value is one word in a path, a query string or a header. */
export function isScalar(slot: Slot, types: Types): boolean {
  switch (slot.type.kind) {
    case 'string':
    case 'int':
    case 'float':
    case 'bool':
    case 'instant':
    case 'literal':
      return true
    case 'ref':
      return types[slot.type.to]?.kind === 'enum'
    default:
      return false
  }
}
