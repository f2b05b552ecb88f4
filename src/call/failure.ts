/** What becomes of an error that a handler lets out: which code the caller sees, and what only the log may know. */
import { randomUUID } from 'node:crypto'
import { isStatusCode } from '../contract/status.ts'
import { Invalid } from '../schema/invalid.ts'
import type { Call } from './call.ts'
import { CallError } from './error.ts'
import type { Logger } from './logger.ts'
import { Metadata } from './metadata.ts'

const passedOn = new Set(['unavailable', 'deadline_exceeded', 'resource_exhausted'])

/** Bytes of a head that are not metadata's: status, dates, lengths and the like. */
const wiresPart = 512

/**
 * The error that leaves the process.
 *
 * A `CallError` that the handler raised itself keeps its code. One that an outbound call raised and nobody caught is
 * not ours to pass on: it becomes `unavailable` if waiting may help, else `internal`. Everything else is `internal`
 * with an id; its text stays in the log.
 *
 * @param headSize What the head of an answer may take in bytes: metadata that does not fit is left out, and the log says so.
 */
export function outwardError(
  call: Call,
  error: unknown,
  log: Logger,
  headSize: number = Number.POSITIVE_INFINITY,
): CallError {
  if (call.canceled !== undefined) return call.canceled

  if (CallError.is(error)) {
    if (error.origin === 'local')
      return isSendable(error)
        ? withFittingMetadata(call, tidy(error), log, headSize)
        : unsendable(call, error, log)
    const code = passedOn.has(error.code) ? 'unavailable' : 'internal'
    const id = randomUUID()
    log.warn({ operation: call.operation.id, code, id, err: error }, 'a downstream call failed')
    return new CallError(code, `a server that this call depends on failed (${id})`, {
      cause: error,
      retryAfter: error.retryAfter,
    })
  }

  const id = randomUUID()
  log.error({ operation: call.operation.id, code: 'internal', id, err: error }, 'a handler failed')
  return new CallError('internal', `internal error ${id}`, { cause: error })
}

/** TypeScript sees to it; plain JavaScript, and another version of this library, may do otherwise. */
function isSendable({ code, message, issues, details, metadata }: CallError): boolean {
  const isText = (value: unknown) => typeof value === 'string'
  return (
    isText(code) &&
    isStatusCode(code) &&
    isText(message) &&
    Array.isArray(issues) &&
    issues.every((issue) => isText(issue?.path) && isText(issue.message)) &&
    Array.isArray(details) &&
    details.every((detail) => isText(detail?.type) && detail.value instanceof Uint8Array) &&
    Array.isArray(metadata?.flat)
  )
}

function unsendable(call: Call, error: CallError, log: Logger): CallError {
  const id = randomUUID()
  log.error(
    { operation: call.operation.id, code: 'internal', id, err: error },
    `a handler threw a CallError that cannot be sent: expected a status code and texts, got the code ${String(error.code)}`,
  )
  return new CallError('internal', `internal error ${id}`, { cause: error })
}

/** Characters of a message that leave the process. */
const longestMessage = 16 * 1024

/** Without what a wire could not say: a status that is no error's, a time that is none, a message as long as a body. */
function tidy(error: CallError): CallError {
  const { http, retryAfter, message } = error
  const httpFits = http === undefined || (Number.isInteger(http) && http >= 400 && http <= 599)
  const timeFits = retryAfter === undefined || (Number.isFinite(retryAfter) && retryAfter >= 0)
  if (httpFits && timeFits && message.length <= longestMessage) return error

  const shown = message.length <= longestMessage ? message : `${message.slice(0, longestMessage)}…`
  return changed(error, {
    message: shown,
    http: httpFits ? http : undefined,
    retryAfter: timeFits ? retryAfter : undefined,
  })
}

function withFittingMetadata(call: Call, error: CallError, log: Logger, headSize: number): CallError {
  if (error.metadata.size === 0) return error
  const size = error.metadata.headSize
  if (size + wiresPart <= headSize) return error
  log.warn(
    { operation: call.operation.id, code: error.code, err: error },
    `the metadata of an error has ${size} bytes and is left out: ${headSize - wiresPart} fit (limits.headerSize)`,
  )
  return changed(error, { metadata: new Metadata() })
}

type Replaceable = Partial<Pick<CallError, 'message' | 'http' | 'retryAfter' | 'metadata'>>

/** The same error with something replaced. */
function changed(error: CallError, by: Replaceable): CallError {
  const { code, fault, issues, details, processed } = error
  const { message, http, retryAfter, metadata } = by
  const kept = {
    http: 'http' in by ? http : error.http,
    retryAfter: 'retryAfter' in by ? retryAfter : error.retryAfter,
  }
  return new CallError(code, message ?? error.message, {
    issues,
    details,
    metadata: metadata ?? error.metadata,
    processed,
    cause: error,
    ...(fault === undefined ? {} : { fault }),
    ...(kept.http === undefined ? {} : { http: kept.http }),
    ...(kept.retryAfter === undefined ? {} : { retryAfter: kept.retryAfter }),
  })
}

/**
 * Metadata and trailers of an answer are what its handler meant to say, and cannot be left out: what does not fit is its
 * mistake. Throws a `CallError`.
 */
export function checkReplyHead(call: Call, metadata: Metadata | undefined, headSize: number): void {
  if (metadata === undefined || metadata.size === 0) return
  const size = metadata.headSize
  if (size + wiresPart > headSize) {
    throw new CallError(
      'internal',
      `${call.operation.id}: the metadata of the answer has ${size} bytes, and ${headSize - wiresPart} fit (limits.headerSize)`,
    )
  }
}

/** A caller's value does not fit the contract. */
export function invalidInput(error: Invalid): CallError {
  return new CallError('invalid_argument', error.message, { issues: error.issues })
}

/** A handler's value does not fit the contract: the caller learns nothing but that, the log learns where. */
export function invalidOutput(call: Call, error: Invalid, log: Logger): CallError {
  const id = randomUUID()
  log.error(
    { operation: call.operation.id, code: 'internal', id, issues: error.issues, err: error },
    `a handler's answer does not fit its contract: ${error.message}`,
  )
  return new CallError('internal', `internal error ${id}`, { cause: error })
}

/** A declared fault whose detail does not fit its contract, as `invalidOutput`: its name is in the log. */
export function invalidFault(call: Call, fault: string, error: unknown, log: Logger): CallError {
  const id = randomUUID()
  const issues = error instanceof Invalid ? error.issues : undefined
  const text = error instanceof Error ? error.message : String(error)
  log.error(
    { operation: call.operation.id, code: 'internal', id, fault, issues, err: error },
    `the detail of the fault '${fault}' does not fit its contract: ${text}`,
  )
  return new CallError('internal', `internal error ${id}`, { cause: error })
}
