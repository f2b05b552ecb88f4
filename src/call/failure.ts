/** What becomes of an error that a handler lets out: which code the caller sees, and what only the log may know. */
import { randomUUID } from 'node:crypto'
import type { Invalid } from '../schema/invalid.ts'
import type { Call } from './call.ts'
import { CallError } from './error.ts'
import type { Logger } from './logger.ts'

const passedOn = new Set(['unavailable', 'deadline_exceeded', 'resource_exhausted'])

/**
 * The error that leaves the process.
 *
 * A `CallError` that the handler raised itself keeps its code. One that an outbound call raised and nobody caught is
 * not ours to pass on: it becomes `unavailable` if waiting may help, else `internal`. Everything else is `internal`
 * with an id; its text stays in the log.
 */
export function outwardError(call: Call, error: unknown, log: Logger): CallError {
  if (call.canceled !== undefined) return call.canceled

  if (CallError.is(error)) {
    if (error.origin === 'local') return error
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
