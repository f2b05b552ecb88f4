/** Why a message was refused. */
export interface MessageFailure {
  /** The status of a server's answer; 502-like for a client, which only passes the text on. */
  readonly status: 400 | 408 | 414 | 417 | 431 | 501 | 505
  /** What was wrong, where, and what is expected. */
  readonly message: string
}

export function failure(status: MessageFailure['status'], message: string): MessageFailure {
  return { status, message }
}
