/**
 * The choice of a media type by Accept (RFC 9110 section 12.5.1).
 *
 *     Accept      = [ ( media-range [ weight ] ) *( OWS "," OWS ( media-range [ weight ] ) ) ]
 *     media-range = ( "*" "/" "*" / ( type "/" "*" ) / ( type "/" subtype ) ) parameters
 *
 * For every offer the most specific range that matches gives the weight: exact with parameters, exact, one type, any.
 */
import { type MediaType, parseMediaType } from './media-type.ts'
import { parseWeighted } from './quality.ts'

interface Range {
  readonly type: MediaType
  readonly weight: number
}

/**
 * The offer that the client likes best; of equals the first. `undefined` when it accepts none (406).
 * Without Accept, everything is accepted.
 */
export function negotiateMediaType<Offer extends string>(
  accept: string | undefined,
  offers: readonly Offer[],
): Offer | undefined {
  if (accept === undefined || accept === '*/*' || accept.trim() === '') return offers[0]
  const ranges = readRanges(accept)
  let best: Offer | undefined
  let weight = 0
  for (const offer of offers) {
    const own = weightOf(offer, ranges)
    if (own > weight) {
      best = offer
      weight = own
    }
  }
  return best
}

function readRanges(accept: string): Range[] {
  const ranges: Range[] = []
  for (const { value, weight } of parseWeighted(accept)) {
    // `*` alone is what some old clients (Java's URLConnection) mean by any type.
    const type = parseMediaType(value === '*' ? '*/*' : value)
    if (type !== undefined) ranges.push({ type, weight })
  }
  return ranges
}

function weightOf(offer: string, ranges: readonly Range[]): number {
  const offered = parseMediaType(offer)
  if (offered === undefined) throw new RangeError(`${offer} is no media type`)
  let specificity = -1
  let weight = 0
  for (const range of ranges) {
    const own = match(range.type, offered)
    if (own > specificity) {
      specificity = own
      weight = range.weight
    }
  }
  return weight
}

/** How specifically a range matches an offer; −1 when it does not. */
function match(range: MediaType, offer: MediaType): number {
  if (range.essence === '*/*') return 0
  if (range.essence.endsWith('/*')) {
    return offer.essence.startsWith(range.essence.slice(0, -1)) ? 1 : -1
  }
  if (range.essence !== offer.essence) return -1
  for (const [name, value] of range.parameters) {
    const own = offer.parameters.get(name)
    // A charset says nothing about a JSON representation, and UTF-8 is all there is.
    if (own === undefined && name === 'charset' && value.toLowerCase() === 'utf-8') continue
    if (own?.toLowerCase() !== value.toLowerCase()) return -1
  }
  return 2 + range.parameters.size
}
