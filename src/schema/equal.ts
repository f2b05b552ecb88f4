/** Whether two pieces of plain JSON data say the same. Keys that hold `undefined` count as absent. */
export function structurallyEqual(left: unknown, right: unknown): boolean {
  return equal(left, right, nothing)
}

/** Whether two pieces of the Type model carry the same values; what is only said about them does not count. */
export function sameStructure(left: unknown, right: unknown): boolean {
  return equal(left, right, documentation)
}

const nothing: ReadonlySet<string> = new Set()
const documentation: ReadonlySet<string> = new Set(['doc', 'deprecated', 'examples'])

function equal(left: unknown, right: unknown, ignored: ReadonlySet<string>): boolean {
  if (Object.is(left, right)) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false

  if (Array.isArray(left) || Array.isArray(right)) {
    return (
      Array.isArray(left) &&
      Array.isArray(right) &&
      left.length === right.length &&
      left.every((element, index) => equal(element, right[index], ignored))
    )
  }

  const a = left as Record<string, unknown>
  const b = right as Record<string, unknown>
  const keys = presentKeys(a, ignored)

  return (
    keys.length === presentKeys(b, ignored).length &&
    keys.every((key) => Object.hasOwn(b, key) && equal(a[key], b[key], key === 'default' ? nothing : ignored))
  )
}

function presentKeys(of: Record<string, unknown>, ignored: ReadonlySet<string>): string[] {
  return Object.keys(of).filter((key) => of[key] !== undefined && !ignored.has(key))
}
