/**
 * A field list that is sent again and again as it is: a method's request, the head of an answer. Made once,
 * used with any number of encoders; an encoder keeps the encoded form as long as its table stands still.
 */

/**
 * What the encoded form of any list takes at most, beyond its characters: two size updates, and the lengths
 * of each field.
 */
const mostPerBlock = 12
const mostPerField = 13

export class HpackTemplate {
  readonly fields: readonly string[]
  /** The most octets that its encoded form takes. */
  readonly bound: number

  /**
   * `fields`: name, value, name, value …; names in lower case, Latin-1. The list must not be changed
   * afterwards.
   */
  constructor(fields: readonly string[]) {
    this.fields = fields
    this.bound = mostEncoded(fields)
  }
}

/** The most octets that a list takes. */
export function mostEncoded(fields: readonly string[]): number {
  let most = mostPerBlock + (fields.length >>> 1) * mostPerField
  for (let i = 0; i < fields.length; i += 1) most += (fields[i] as string).length
  return most
}
