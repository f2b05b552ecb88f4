/** `['lines', 2, 'quantity']` → `lines[2].quantity`; names that are no identifiers are quoted: `labels["a b"]`. */
export function formatPath(segments: readonly (PropertyKey | { readonly key: PropertyKey })[]): string {
  let path = ''

  for (const segment of segments) {
    const key = typeof segment === 'object' ? segment.key : segment

    if (typeof key === 'number') path += `[${key}]`
    else if (typeof key === 'symbol') path += `[${String(key)}]`
    else if (/^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key)) path += path === '' ? key : `.${key}`
    else path += `[${JSON.stringify(key)}]`
  }

  return path
}
