/** One thing wrong with a value: where, and what was expected against what was there. */
export interface Issue {
  /** `lines[2].quantity`; empty for the value itself. */
  readonly path: string
  /** `expected an integer ≥ 1, got "two"` */
  readonly message: string
}

/** How many issues of one value are collected; the rest are counted by nobody. */
export const maximumIssues = 20

/**
 * A value that does not fit its type, found while encoding, decoding or validating. Codecs throw it; wires turn it
 * into `invalid_argument` for what a caller sent, and into `internal` for what a handler returned.
 *
 * @example
 * ```ts
 * import { Invalid } from 'trunkline'
 *
 * const error = new Invalid([{ path: 'lines[2].quantity', message: 'expected an integer ≥ 1, got "two"' }])
 * console.log(error.message) // lines[2].quantity: expected an integer ≥ 1, got "two"
 * ```
 */
export class Invalid extends Error {
  override readonly name = 'Invalid'
  readonly issues: readonly Issue[]

  constructor(issues: readonly Issue[]) {
    super(issues.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; '))
    this.issues = issues
  }

  static at(path: string, message: string): Invalid {
    return new Invalid([{ path, message }])
  }
}
