/** Requests that are refused for what they are, before or instead of a call: what was wrong, and what to do. */
import { CallError } from '../../call/error.ts'
import type { HttpAbort } from '../../http/exchange.ts'
import { ndjsonTypes } from './ndjson.ts'
import { streamTypes } from './stream-format.ts'

/** The caller's mistake; nothing of the call was done. */
function refusal(http: number, message: string): CallError {
  return new CallError('invalid_argument', message, { http, processed: 'no' })
}

export function unknownPath(method: string, path: string): CallError {
  return new CallError('unimplemented', `no operation is at ${method} ${shown(path)}`, {
    http: 404,
    processed: 'no',
  })
}

export function otherMethods(method: string, path: string, allow: string): CallError {
  return new CallError('unimplemented', `${shown(path)} has no ${shown(method)}, only ${allow}`, {
    http: 405,
    processed: 'no',
  })
}

export function malformedPath(segment: string): CallError {
  return refusal(400, `the path has '${shown(segment)}', which is not percent-encoded UTF-8`)
}

export function malformedTimeout(): CallError {
  return refusal(400, "trunkline-timeout: expected a whole number and a unit (ms, s, m, h), such as '500ms'")
}

export function deadlineOver(): CallError {
  return new CallError('deadline_exceeded', 'trunkline-timeout: the deadline has passed', { processed: 'no' })
}

export function malformedBinary(header: string): CallError {
  return refusal(400, `${header}: the value of a header whose name ends in -bin is base64`)
}

export function notAcceptable(streamed: boolean): CallError {
  const types = streamed ? streamTypes.join(', ') : 'application/json'
  return refusal(406, `Accept leaves nothing of what there is: ${types}`)
}

export function wrongContentType(given: string, streamed: boolean): CallError {
  return refusal(415, `the body is sent as '${shown(given)}'; send ${wanted(streamed)}`)
}

export function contentTypeMissing(streamed: boolean): CallError {
  return refusal(415, `the body has no content type; send 'content-type: ${wanted(streamed)}'`)
}

export function unknownCoding(given: string): CallError {
  return refusal(415, `content-encoding '${shown(given)}' is not known; there are zstd, br, gzip and deflate`)
}

export function tooLarge(limit: number): CallError {
  return new CallError('resource_exhausted', `the message is larger than ${limit} bytes`, { http: 413 })
}

/** The server keeps as much of incomplete bodies as it may. `processed`: whether a handler can have seen some of this one. */
export function noRoom(processed: 'no' | 'maybe'): CallError {
  const message = 'the server has no room for more of the bodies that it is receiving; send it again later'
  return new CallError('resource_exhausted', message, { http: 503, processed, retryAfter: 1_000 })
}

export function closing(): CallError {
  return new CallError('unavailable', 'the server is closing', { processed: 'no', retryAfter: 1_000 })
}

/** The request's body ended before its time. */
export function bodyAborted(why: HttpAbort, limit: number): CallError {
  switch (why.reason) {
    case 'too_large':
      return tooLarge(limit)
    case 'no_room':
      return noRoom(why.processed)
    case 'protocol':
      return new CallError('invalid_argument', why.message)
    case 'timeout':
      return new CallError('deadline_exceeded', why.message, { http: 408 })
    default:
      return new CallError('canceled', why.message)
  }
}

function wanted(streamed: boolean): string {
  return streamed ? `${ndjsonTypes[0]}: one JSON message a line` : 'application/json in UTF-8'
}

/** Foreign text in a message: bounded. */
function shown(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}
