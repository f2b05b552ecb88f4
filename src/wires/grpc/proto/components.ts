/**
 * Groups of names that need each other, each group behind those it needs (Tarjan's algorithm). A name that needs nothing
 * that needs it is a group of its own.
 */
export function componentsOf(
  names: Iterable<string>,
  referencesOf: (name: string) => readonly string[],
): string[][] {
  const indexes = new Map<string, number>()
  const lowest = new Map<string, number>()
  const stack: string[] = []
  const onStack = new Set<string>()
  const components: string[][] = []

  // Visits wait in a list: types refer to types more deeply than a stack may be.
  for (const root of names) {
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
    return { name, references: [...new Set(referencesOf(name))], at: 0 }
  }

  function lower(name: string, to: number): void {
    lowest.set(name, Math.min(lowest.get(name) as number, to))
  }

  function leave(name: string): void {
    if (lowest.get(name) !== indexes.get(name)) return
    const component = stack.splice(stack.lastIndexOf(name))
    for (const one of component) onStack.delete(one)
    components.push(component)
  }
}
