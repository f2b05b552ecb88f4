/** Keys of ProtoJSON: lowerCamelCase of the name in .proto, which is read as well. */
import { lowerCamelCase } from '../../../schema/names.ts'
import type { FieldLayout } from '../../protobuf/message-layout.ts'

export function jsonName(field: FieldLayout): string {
  return field.field?.json ?? field.json ?? lowerCamelCase(field.name)
}

/** What stands in messages: the key, the index of a tuple's item. */
export function pathKey(field: FieldLayout, tuple: boolean): string | number {
  return tuple ? Number(field.property) : jsonName(field)
}
