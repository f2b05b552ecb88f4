/** Where in a value something is. One rule for all that speaks of it: codecs, refinements, documents. */

/** Keys of maps are whatever was sent. */
const longestKey = 64

/** `['lines', 2, 'quantity']` → `lines[2].quantity`; names that are no identifiers are quoted: `labels["a b"]`. */
export function formatPath(segments: readonly (PropertyKey | { readonly key: PropertyKey })[]): string {
  let path = ''
  for (const segment of segments) path += formatStep(typeof segment === 'object' ? segment.key : segment)
  return withoutDot(path)
}

/** One step of a path: `.quantity`, `["a b"]`, `[2]`. Long keys are cut. */
export function formatStep(key: PropertyKey): string {
  if (typeof key !== 'string') return `[${String(key)}]`
  if (key.length > longestKey) return `[${JSON.stringify(`${key.slice(0, longestKey)}…`)}]`
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`
}

/** A path that was put together of steps. */
export function withoutDot(path: string): string {
  return path.startsWith('.') ? path.slice(1) : path
}
