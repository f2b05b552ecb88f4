/**
 * HOT PATH. What a field of HTTP/2 may consist of (RFC 9113 section 8.2.1), beyond what HPACK, which carries
 * any octets, knows.
 *
 *     name  = [":"] 1*( tchar, but not in upper case )     a colon marks a pseudo-header field (section 8.3)
 *     value = no NUL, LF or CR anywhere; no SP or HTAB at either end
 */

const nameOctets = new Uint8Array(256)
for (const char of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") nameOctets[char.charCodeAt(0)] = 1

/** From this length on, an expression is faster than a walk. */
const matchFrom = 16
// oxlint-disable-next-line no-control-regex
const notInValue = /[\0\r\n]/

export function isValidName(name: string): boolean {
  const first = name.charCodeAt(0) === 0x3a ? 1 : 0
  if (name.length === first) return false

  for (let i = first; i < name.length; i += 1) {
    if (nameOctets[name.charCodeAt(i)] !== 1) return false
  }

  return true
}

export function isValidValue(value: string): boolean {
  const { length } = value
  if (length === 0) return true

  const first = value.charCodeAt(0)
  const last = value.charCodeAt(length - 1)
  if (first === 0x20 || first === 0x09 || last === 0x20 || last === 0x09) return false

  if (length >= matchFrom) return !notInValue.test(value)

  for (let i = 0; i < length; i += 1) {
    const octet = value.charCodeAt(i)
    if (octet <= 0x0d && (octet === 0 || octet === 0x0a || octet === 0x0d)) return false
  }

  return true
}
