/**
 * Lists with weights: Accept, Accept-Encoding (RFC 9110 sections 5.6.1, 12.4.2).
 *
 *     list    = [ element *( OWS "," OWS element ) ]      empty elements are skipped
 *     element = value [ OWS ";" OWS "q=" qvalue ]
 *     qvalue  = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )
 */

export interface Weighted {
  /** The element without its weight, as it came, parameters included. */
  readonly value: string
  /** 0 to 1; 0 means "not this". */
  readonly weight: number
}

const longest = 4096
const elements = 64
const weightShape = /^[ \t]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)[ \t]*$/i

/** Splits a list at its commas; those in quoted strings do not count. */
export function splitList(text: string): string[] {
  const parts: string[] = []
  let from = 0
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x22) quoted = !quoted
    else if (code === 0x5c && quoted) at++
    else if (code === 0x2c && !quoted) {
      parts.push(text.slice(from, at).trim())
      from = at + 1
    }
  }
  parts.push(text.slice(from).trim())
  return parts.filter((part) => part !== '')
}

/**
 * Reads a weighted list. An element whose weight is malformed counts as refused; one that is longer or has more
 * elements than any honest peer sends is cut off.
 */
export function parseWeighted(text: string): Weighted[] {
  return splitList(text.slice(0, longest))
    .slice(0, elements)
    .map((element) => {
      const at = weightAt(element)
      if (at < 0) return { value: element, weight: 1 }
      const match = weightShape.exec(element.slice(at + 1).split(';', 1)[0] as string)
      return { value: element.slice(0, at).trim(), weight: match === null ? 0 : Number(match[1]) }
    })
}

/** Where the `;` before `q=` is. What follows the weight (accept-ext) was removed by RFC 9110 and is ignored. */
function weightAt(element: string): number {
  let quoted = false
  for (let at = 0; at < element.length; at++) {
    const code = element.charCodeAt(at)
    if (code === 0x22) quoted = !quoted
    else if (code === 0x5c && quoted) at++
    else if (code === 0x3b && !quoted && /^[ \t]*q=/i.test(element.slice(at + 1, at + 12))) return at
  }
  return -1
}
