/**
 * The string formats that every codec validates by itself. They accept what zod's newest release accepts for the format
 * without options; a library with another idea of a format says so by a `pattern`, which takes its place (type.ts).
 */
import type { StringType } from './type.ts'

// RFC 3339 full-date, with the days of each month and the leap years of the Gregorian calendar.
const month31 = '(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])'
const month30 = '(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)'
const february = '02-(?:0[1-9]|1\\d|2[0-8])'
const leapYear = '(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)'
const fullDate = `(?:\\d{4}-(?:${month31}|${month30}|${february})|${leapYear}-02-29)`

// ISO 8601 hours and minutes; RFC 3339 demands the seconds, a time of day may leave them out.
const minutes = '(?:[01]\\d|2[0-3]):[0-5]\\d'
const seconds = '[0-5]\\d(?:\\.\\d+)?'

// RFC 791 and RFC 4122 / 9562.
const octet = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const hex = (digits: number) => `[0-9a-fA-F]{${digits}}`
const uuid = `${hex(8)}-${hex(4)}-[1-8]${hex(3)}-[89abAB]${hex(3)}-${hex(12)}`
const nilUuid = '00000000-0000-0000-0000-000000000000'
const maxUuid = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

// A practical subset of RFC 5321: dot-separated words before the @, host names after it.
const mailbox = "(?:[\\w'+-]+\\.)*[\\w'+-]*[\\w+-]"
const domain = '(?:[A-Za-z0-9][A-Za-z0-9-]*\\.)+[A-Za-z]{2,}'

const patterns: ReadonlyMap<string, RegExp> = new Map([
  ['date', new RegExp(`^${fullDate}$`)],
  ['time', new RegExp(`^${minutes}(?::${seconds})?$`)],
  ['date-time', new RegExp(`^${fullDate}T${minutes}:${seconds}Z$`)],
  [
    'duration',
    /^P(?:\d+W|(?=\d|T\d)(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+(?:[.,]\d+)?S)?)?)$/,
  ],
  ['uuid', new RegExp(`^(?:${uuid}|${nilUuid}|${maxUuid})$`)],
  ['email', new RegExp(`^${mailbox}@${domain}$`)],
  ['ipv4', new RegExp(`^(?:${octet}\\.){3}${octet}$`)],
  ['decimal', /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/],
])

/** What has no regular expression worth reading. */
const tests: ReadonlyMap<string, (text: string) => boolean> = new Map([
  ['uri', (text: string) => !/[\t\n\r]|^\s|\s$/.test(text) && URL.canParse(text)],
  ['ipv6', (text: string) => /^[0-9a-fA-F:]+$/.test(text) && URL.canParse(`http://[${text}]`)],
])

/** How a format is validated: by this expression, by this function, or, when it is unknown, not at all. */
export function formatTest(format: string): RegExp | ((text: string) => boolean) | undefined {
  return patterns.get(format) ?? tests.get(format)
}

/** What a codec validates of a string's format: nothing when there is none, or when a pattern takes its place. */
export function formatTestOf(type: StringType): RegExp | ((text: string) => boolean) | undefined {
  if (type.format === undefined || type.checks?.some(({ check }) => check === 'pattern')) return undefined

  return formatTest(type.format)
}
