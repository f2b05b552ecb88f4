/** HOT PATH. Short Latin-1 strings out of octets: up to here a third of what the native call costs. */

export const longestShortText = 8

const chars = String.fromCharCode

/** The string of 1 to 8 octets. */
export function shortText(bytes: Uint8Array, start: number, end: number): string {
  const a = bytes[start] as number
  if (end - start === 1) return chars(a)

  const b = bytes[start + 1] as number
  if (end - start === 2) return chars(a, b)

  const c = bytes[start + 2] as number
  if (end - start === 3) return chars(a, b, c)

  const d = bytes[start + 3] as number
  if (end - start === 4) return chars(a, b, c, d)

  const e = bytes[start + 4] as number
  if (end - start === 5) return chars(a, b, c, d, e)

  const f = bytes[start + 5] as number
  if (end - start === 6) return chars(a, b, c, d, e, f)

  const g = bytes[start + 6] as number
  if (end - start === 7) return chars(a, b, c, d, e, f, g)

  return chars(a, b, c, d, e, f, g, bytes[start + 7] as number)
}
