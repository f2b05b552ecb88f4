/** Types as people read them in messages: `optional list of Order or null, number 3`. */
import { agreedChecks } from './agreed-checks.ts'
import type { Field, Slot } from '../schema/type.ts'

export function describeField(field: Field): string {
  return `${presence(field)} ${describeSlot(field)}, number ${field.number}`
}

export function presence(field: Field): string {
  if (field.optional === true) return 'optional'
  return field.default === undefined ? 'required' : 'defaulted'
}

export function mayBeLeftOut(field: Field): boolean {
  return field.optional === true || field.default !== undefined
}

/** The type without its bounds: `int64 as bigint`, `list of Order or null`. */
export function describeSlot(slot: Slot): string {
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
export function bounds({ type }: Slot): string {
  const texts = agreedChecks(type).map((check) =>
    check.check === 'pattern'
      ? `/${check.source}/${check.flags}`
      : `${check.check} ${check.value}${'exclusive' in check && check.exclusive === true ? ' exclusive' : ''}`,
  )
  const inner = slotsWithin(type).map(bounds)

  return [...texts.toSorted(), ...inner.filter((text) => text !== '').map((text) => `each ${text}`)].join(
    ', ',
  )
}

/** The slots that a type holds itself; what is behind a name is compared there. */
function slotsWithin(type: Slot['type']): readonly Slot[] {
  switch (type.kind) {
    case 'list':
      return [type.of]
    case 'map':
      return [{ type: type.key }, type.of]
    case 'tuple':
      return type.rest === undefined ? type.items : [...type.items, type.rest]
    default:
      return []
  }
}
