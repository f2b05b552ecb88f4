/**
 * The formats of strings that are validated when a schema names one and brings no pattern of its own, as JSON Schema
 * does (2020-12, §7.3). A schema that brings a pattern, as zod does, is validated by that.
 */
import { isIPv4 } from 'node:net'

const dateShape = /^(\d{4})-(\d\d)-(\d\d)$/
const timeShape = /^(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)?$/i
const offsetShape = /(?:Z|[+-]\d\d:\d\d)$/i
const durationShape =
  /^P(?:\d+W|(?=\d|T\d)(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+(?:[.,]\d+)?S)?)?)$/
const uuidShape = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const emailShape = /^[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?=.{1,253}$)[a-z0-9-]+(?:\.[a-z0-9-]+)*$/i
const decimalShape = /^-?\d+(?:\.\d+)?$/

/** What a format is called in messages, and whether a string has it. */
export interface KnownFormat {
  readonly phrase: string
  readonly holds: (text: string) => boolean
}

const formats: ReadonlyMap<string, KnownFormat> = new Map<string, KnownFormat>([
  ['date', { phrase: 'a date (YYYY-MM-DD)', holds: isDate }],
  ['time', { phrase: 'a time (HH:MM:SS)', holds: (text) => timeShape.test(text) }],
  ['date-time', { phrase: 'a date and time (RFC 3339)', holds: isDateTime }],
  ['duration', { phrase: 'a duration (ISO 8601)', holds: (text) => durationShape.test(text) }],
  ['uuid', { phrase: 'a UUID', holds: (text) => uuidShape.test(text) }],
  ['email', { phrase: 'an e-mail address', holds: (text) => emailShape.test(text) }],
  ['uri', { phrase: 'a URL', holds: (text) => URL.canParse(text) }],
  ['ipv4', { phrase: 'an IPv4 address', holds: (text) => isIPv4(text) }],
  ['ipv6', { phrase: 'an IPv6 address', holds: isIPv6 }],
  ['decimal', { phrase: 'a decimal number', holds: (text) => decimalShape.test(text) }],
])

/** `undefined` for a format that is only documented. */
export function knownFormat(name: string | undefined): KnownFormat | undefined {
  return name === undefined ? undefined : formats.get(name)
}

/** As the URL Standard reads it, and with it zod: node:net refuses some with an IPv4 part, and takes zones. */
function isIPv6(text: string): boolean {
  return /^[\da-f:.]{2,45}$/i.test(text) && URL.canParse(`http://[${text}]`)
}

function isDate(text: string): boolean {
  const parts = dateShape.exec(text)
  if (parts === null) return false

  const month = Number(parts[2])
  const day = Number(parts[3])
  if (month < 1 || month > 12 || day < 1) return false

  // Day 0 of the next month is the last of this one; the year 2000 + y % 400 has the same calendar as y.
  return day <= new Date(Date.UTC(2000 + (Number(parts[1]) % 400), month, 0)).getUTCDate()
}

function isDateTime(text: string): boolean {
  return (
    isDate(text.slice(0, 10)) &&
    /^t$/i.test(text.charAt(10)) &&
    /^\d\d:\d\d:\d\d/.test(text.slice(11)) &&
    timeShape.test(text.slice(11)) &&
    offsetShape.test(text)
  )
}
