/**
 * The code table: gRPC's status codes, and what each is on the other wires.
 * HTTP: google.rpc.Code's mapping. A fault may declare an HTTP status of its own.
 */

/** gRPC's status codes in snake_case, without `ok`. */
export type StatusCode =
  | 'canceled'
  | 'unknown'
  | 'invalid_argument'
  | 'deadline_exceeded'
  | 'not_found'
  | 'already_exists'
  | 'permission_denied'
  | 'resource_exhausted'
  | 'failed_precondition'
  | 'aborted'
  | 'out_of_range'
  | 'unimplemented'
  | 'internal'
  | 'unavailable'
  | 'data_loss'
  | 'unauthenticated'

export interface Status {
  /** gRPC's number. */
  readonly number: number
  readonly http: number
  /** Who is to blame: SOAP's Client / Sender against Server / Receiver. */
  readonly side: 'client' | 'server'
  /** The title in problem+json. */
  readonly title: string
}

export const statusTable: Readonly<Record<StatusCode, Status>> = {
  canceled: { number: 1, http: 499, side: 'server', title: 'Canceled' },
  unknown: { number: 2, http: 500, side: 'server', title: 'Unknown error' },
  invalid_argument: { number: 3, http: 400, side: 'client', title: 'Invalid argument' },
  deadline_exceeded: { number: 4, http: 504, side: 'server', title: 'Deadline exceeded' },
  not_found: { number: 5, http: 404, side: 'client', title: 'Not found' },
  already_exists: { number: 6, http: 409, side: 'client', title: 'Already exists' },
  permission_denied: { number: 7, http: 403, side: 'client', title: 'Permission denied' },
  resource_exhausted: { number: 8, http: 429, side: 'server', title: 'Resource exhausted' },
  failed_precondition: { number: 9, http: 400, side: 'client', title: 'Failed precondition' },
  aborted: { number: 10, http: 409, side: 'client', title: 'Aborted' },
  out_of_range: { number: 11, http: 400, side: 'client', title: 'Out of range' },
  unimplemented: { number: 12, http: 501, side: 'client', title: 'Unimplemented' },
  internal: { number: 13, http: 500, side: 'server', title: 'Internal error' },
  unavailable: { number: 14, http: 503, side: 'server', title: 'Unavailable' },
  data_loss: { number: 15, http: 500, side: 'server', title: 'Data loss' },
  unauthenticated: { number: 16, http: 401, side: 'client', title: 'Unauthenticated' },
}

const byNumber: readonly (StatusCode | undefined)[] = (() => {
  const codes: (StatusCode | undefined)[] = []
  for (const [code, { number }] of Object.entries(statusTable)) codes[number] = code as StatusCode
  return codes
})()

/** The code of a gRPC number; `unknown` for one that gRPC does not define. */
export function statusFromNumber(number: number): StatusCode {
  return byNumber[number] ?? 'unknown'
}

/**
 * The code of an HTTP status that came without one of ours: a foreign server or a proxy answered.
 * Inverse of the table where that is unambiguous; else by RFC 9110's meaning of the class.
 */
export function statusFromHttp(status: number): StatusCode {
  switch (status) {
    case 400:
    case 405:
    case 406:
    case 411:
    case 414:
    case 415:
    case 422:
      return 'invalid_argument'
    case 401:
    case 407:
      return 'unauthenticated'
    case 403:
      return 'permission_denied'
    case 404:
    case 410:
      return 'not_found'
    case 408:
    case 504:
      return 'deadline_exceeded'
    case 409:
      return 'aborted'
    case 412:
    case 428:
      return 'failed_precondition'
    case 413:
    case 429:
    case 431:
      return 'resource_exhausted'
    case 416:
      return 'out_of_range'
    case 499:
      return 'canceled'
    case 501:
      return 'unimplemented'
    case 502:
    case 503:
      return 'unavailable'
    default:
      return status >= 500 ? 'internal' : 'unknown'
  }
}

/** Whether a string is one of the codes. */
export function isStatusCode(text: string): text is StatusCode {
  return Object.hasOwn(statusTable, text)
}
