/**
 * A header block that is none. Ends the connection with COMPRESSION_ERROR (RFC 7541 section 2.2, RFC 9113
 * section 4.3).
 */
export class HpackError extends Error {
  readonly code = 'COMPRESSION_ERROR'

  constructor(message: string) {
    super(message)
    this.name = 'HpackError'
  }
}
