/**
 * HOT PATH. Field names and values (RFC 9110 section 5), shared by everything that reads or writes them.
 *
 *     field-name  = token = 1*tchar
 *     tchar       = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" / "_" / "`" / "|" / "~" / DIGIT / ALPHA
 *     field-value = *( VCHAR / obs-text / SP / HTAB )          without white space around it
 */

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const notInValue = /[^\t\x20-\x7e\x80-\xff]/

/** Names are few and come again with every request: their lower-case forms are kept, but not without end. */
const mostNames = 1024
const longestName = 64
const lowered = new Map<string, string>()

export function isToken(text: string): boolean {
  return token.test(text)
}

/** The name in lower case; `undefined` when it is none. */
export function lowerName(name: string): string | undefined {
  const known = lowered.get(name)
  if (known !== undefined) return known
  if (!token.test(name)) return undefined
  // A copy that is not a slice of the whole head, which it would keep alive.
  const lower = Buffer.from(name.toLowerCase(), 'latin1').toString('latin1')
  if (lowered.size < mostNames && name.length <= longestName) {
    lowered.set(Buffer.from(name, 'latin1').toString('latin1'), lower)
  }
  return lower
}

/** Tokens are long and come again with every request: the long values that were checked last are known. */
const longValue = 64
const checked = ['', '', '', '']
let oldest = 0

/** Whether every character may stand in a value: no control characters but the tab, none beyond Latin-1. */
export function isFieldValue(value: string): boolean {
  if (value.length < longValue) return !notInValue.test(value)
  if (value === checked[0] || value === checked[1] || value === checked[2] || value === checked[3])
    return true
  if (notInValue.test(value)) return false
  checked[oldest] = value
  oldest = (oldest + 1) & 3
  return true
}
