/** Requests that are refused for what they are, before or instead of a call: what was wrong, and what to do. */
import { CallError } from '../../call/error.ts'
import type { HttpAbort } from '../../http/exchange.ts'
import { acceptedCodings } from './request-headers.ts'

/** The caller's mistake; nothing of the call was done. */
function refusal(message: string): CallError {
  return new CallError('invalid_argument', message, { processed: 'no' })
}

export function malformedTimeout(): CallError {
  return refusal("connect-timeout-ms: expected up to 10 digits, such as '500'")
}

export function malformedBinary(message: string): CallError {
  return refusal(message)
}

export function unknownVersion(version: string, where: string): CallError {
  return refusal(`${where} is '${shown(version)}'; only ${where === 'connect' ? 'v1' : '1'} is known here`)
}

export function malformedQuery(what: string): CallError {
  return refusal(`the query ${what}`)
}

export function unknownCoding(given: string): CallError {
  return new CallError(
    'unimplemented',
    `the compression '${shown(given)}' is not known here; there are ${acceptedCodings}, identity`,
    { processed: 'no' },
  )
}

export function tooLarge(limit: number): CallError {
  return new CallError('resource_exhausted', `the message is larger than ${limit} bytes`)
}

/** The server keeps as much of incomplete bodies as it may. */
export function noRoom(): CallError {
  return new CallError(
    'resource_exhausted',
    'the server has no room for more of the bodies that it is receiving; send it again later',
    { processed: 'no', retryAfter: 1_000 },
  )
}

/** The request's body ended before its time. */
export function bodyAborted({ reason, message }: HttpAbort, limit: number): CallError {
  switch (reason) {
    case 'too_large':
      return tooLarge(limit)
    case 'no_room':
      return noRoom()
    case 'protocol':
      return new CallError('invalid_argument', message)
    case 'timeout':
      return new CallError('deadline_exceeded', message)
    default:
      return new CallError('canceled', message)
  }
}

/** Foreign text in a message: bounded. */
function shown(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}
