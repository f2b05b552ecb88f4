/**
 * What an entry costs beyond its octets (RFC 7541 section 4.1); RFC 9113 section 6.5.2 counts a field of a
 * list alike.
 */
export const entryOverhead = 32

/** A field of either table. */
export class TableEntry {
  readonly name: string
  readonly value: string
  /** Octets of name and value, and 32. */
  readonly size: number
  /** Whether the name, and name and value, are what RFC 9113 section 8.2.1 allows. */
  readonly nameValid: boolean
  readonly valid: boolean
  /** The number of its insertion into a dynamic table, from 0 on. */
  sequence = -1
  /** The encoder's: the block that last referred to it. */
  lastUsed = 0

  constructor(name: string, value: string, nameValid: boolean, valueValid: boolean) {
    this.name = name
    this.value = value
    this.size = name.length + value.length + entryOverhead
    this.nameValid = nameValid
    this.valid = nameValid && valueValid
  }
}
