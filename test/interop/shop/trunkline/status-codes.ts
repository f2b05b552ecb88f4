/** gRPC's numbers of status codes. */
import type { StatusCode } from 'trunkline'

const codes: readonly (StatusCode | 'ok')[] = [
  'ok',
  'canceled',
  'unknown',
  'invalid_argument',
  'deadline_exceeded',
  'not_found',
  'already_exists',
  'permission_denied',
  'resource_exhausted',
  'failed_precondition',
  'aborted',
  'out_of_range',
  'unimplemented',
  'internal',
  'unavailable',
  'data_loss',
  'unauthenticated',
]

export function statusCodeOf(number: number): StatusCode {
  return codes[number] as StatusCode
}

export function numberOf(code: StatusCode): number {
  return codes.indexOf(code)
}
