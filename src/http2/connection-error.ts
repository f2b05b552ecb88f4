/** What ends a whole connection (RFC 9113 section 5.4.1). Thrown by what reads frames, and turned into a GOAWAY. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
  /** RFC 9113 section 7. */
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}
