/** The oneofs of foreign protobuf in an object: of the optional fields of one name at most one is there. */
import type { Field } from '../schema/type.ts'

/** The indexes of the fields of each oneof that has several. */
export function oneofsIn(fields: readonly Field[]): readonly (readonly number[])[] {
  const groups = new Map<string, number[]>()

  for (const [index, { oneof, optional }] of fields.entries()) {
    if (oneof === undefined || optional !== true) continue
    groups.set(oneof, [...(groups.get(oneof) ?? []), index])
  }
  return [...groups.values()].filter((indexes) => indexes.length > 1)
}
