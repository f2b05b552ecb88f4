/** Which types a type refers to. */
import type { Named, Slot, Type } from '../../../../schema/type.ts'

/** The names of the types that a type refers to. */
export function referencesOf(named: Named): readonly string[] {
  if (named.kind === 'enum') return []
  if (named.kind === 'union') return named.variants.map(({ to }) => to)
  return named.fields.flatMap(slotReferences)
}

export function slotReferences({ type }: Slot): string[] {
  return typeReferences(type)
}

function typeReferences(type: Type): string[] {
  switch (type.kind) {
    case 'ref':
      return [type.to]
    case 'list':
      return slotReferences(type.of)
    case 'map':
      return [...typeReferences(type.key), ...slotReferences(type.of)]
    case 'tuple':
      return [...type.items, ...(type.rest === undefined ? [] : [type.rest])].flatMap(slotReferences)
    default:
      return []
  }
}
