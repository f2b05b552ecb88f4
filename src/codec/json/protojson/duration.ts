/**
 * google.protobuf.Duration. In ProtoJSON seconds with up to nine decimals, in TypeScript ISO 8601:
 *
 *     "1.5s"  ↔  "PT1.5S"        "-90s"  ↔  "-PT1M30S"        "P1DT2H" is 26 hours: "93600s"
 *
 * Years and months have no fixed length, so they cannot be written.
 */

const iso = /^(-?)P(?:(\d+)W|(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:[.,](\d{1,9})\d*)?S)?)?)$/
const seconds = /^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$/

/** About 10,000 years, as google/protobuf/duration.proto says. */
const longest = 315_576_000_000n

/** `PT1.5S`, in hours, minutes and seconds; `undefined` when the text is not a ProtoJSON duration. */
export function fromDuration(text: string): string | undefined {
  const parts = seconds.exec(text)
  if (parts === null || BigInt(parts[2]!) > longest) return undefined

  const whole = Number(parts[2])
  const fraction = (parts[3] ?? '').replace(/0+$/, '')
  const shown = [
    whole < 3600 ? '' : `${Math.floor(whole / 3600)}H`,
    whole % 3600 < 60 ? '' : `${Math.floor((whole % 3600) / 60)}M`,
    whole % 60 === 0 && fraction === '' ? '' : `${whole % 60}${fraction === '' ? '' : `.${fraction}`}S`,
  ].join('')
  return shown === '' ? 'PT0S' : `${parts[1]}PT${shown}`
}

/** `1.5s`; `undefined` when the text is not an ISO 8601 duration of a fixed length. */
export function toDuration(text: string): string | undefined {
  const parts = iso.exec(text)
  if (parts === null || text.endsWith('P')) return undefined

  const [weeks, days, hours, minutes, rest] = parts.slice(2, 7).map((part) => BigInt(part ?? '0')) as [
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
  ]
  const whole = ((weeks * 7n + days) * 24n + hours) * 3600n + minutes * 60n + rest
  if (whole > longest) return undefined
  return `${parts[1]}${whole}${fractionOf(parts[7] ?? '')}s`
}

/** `.5` is `.500`: in groups of three digits, as every ProtoJSON writer does. */
export function fractionOf(digits: string): string {
  const needed = digits.replace(/0+$/, '').length
  return needed === 0 ? '' : `.${digits.padEnd(9, '0').slice(0, Math.ceil(needed / 3) * 3)}`
}
