/** Types in an order in which each can be declared: behind what it uses, or together with what uses it in turn. */
import type { Named, Slot, Type, Types } from '../../../../schema/type.ts'

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

/**
 * Groups of types that are recursive together, each behind those it needs (Tarjan's algorithm). A type that is not
 * recursive is a group of its own.
 */
export function componentsOf(types: Types): string[][] {
  const indexes = new Map<string, number>()
  const lowest = new Map<string, number>()
  const stack: string[] = []
  const onStack = new Set<string>()
  const components: string[][] = []

  // Visits wait in a list: types refer to types more deeply than a stack may be.
  for (const root of Object.keys(types)) {
    if (indexes.has(root)) continue
    const work = [enter(root)]

    for (let top = work.at(-1); top !== undefined; top = work.at(-1)) {
      const next = top.references[top.at]
      top.at += 1

      if (next === undefined) {
        work.pop()
        leave(top.name)
        const below = work.at(-1)
        if (below !== undefined) lower(below.name, lowest.get(top.name) as number)
      } else if (!indexes.has(next)) {
        work.push(enter(next))
      } else if (onStack.has(next)) {
        lower(top.name, indexes.get(next) as number)
      }
    }
  }
  return components

  function enter(name: string): {
    readonly name: string
    readonly references: readonly string[]
    at: number
  } {
    indexes.set(name, indexes.size)
    lowest.set(name, indexes.get(name) as number)
    stack.push(name)
    onStack.add(name)
    return { name, references: [...new Set(referencesOf(types[name] as Named))], at: 0 }
  }

  function lower(name: string, to: number): void {
    lowest.set(name, Math.min(lowest.get(name) as number, to))
  }

  function leave(name: string): void {
    if (lowest.get(name) !== indexes.get(name)) return
    const component = stack.splice(stack.indexOf(name))
    for (const one of component) onStack.delete(one)
    components.push(component)
  }
}
