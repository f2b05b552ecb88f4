/** Requests that are refused for what they are, before or instead of a call: what was wrong, and what to do. */
import { CallError } from '../../call/error.ts'
import type { HttpAbort } from '../../http/exchange.ts'
import { UndecodableMessage, acceptedEncodings } from './compression.ts'
import type { BrokenFraming } from './framing.ts'

export function unknownMethod(target: string, isService: boolean): CallError {
  const what = isService ? 'this service has no method' : 'no service here has'
  return new CallError('unimplemented', `${what} ${shown(target)}`, { processed: 'no' })
}

export function malformedTimeout(): CallError {
  return new CallError(
    'internal',
    "grpc-timeout: expected up to 8 digits and a unit (H, M, S, m, u, n), such as '500m'",
    { processed: 'no' },
  )
}

/** A time-out of nothing: there is no need to begin. */
export function deadlinePassed(): CallError {
  return new CallError('deadline_exceeded', 'the deadline has passed', { processed: 'no' })
}

export function malformedBinary(message: string): CallError {
  return new CallError('internal', message, { processed: 'no' })
}

export function unknownFormat(type = 'application/grpc'): CallError {
  return new CallError('unimplemented', `messages are understood as ${type}+proto and +json`, {
    processed: 'no',
  })
}

export function unknownEncoding(encoding: string): CallError {
  return new CallError(
    'unimplemented',
    `grpc-encoding '${shown(encoding)}' is not understood here; there are ${acceptedEncodings}`,
    { processed: 'no' },
  )
}

/** A message that says it is compressed, where nothing says how. */
export function unnamedEncoding(): CallError {
  return new CallError('internal', 'a message is marked as compressed, but grpc-encoding names no coding')
}

export function missingMessage(id: string): CallError {
  return new CallError('unimplemented', `${id}: the request ended without its message`)
}

export function secondMessage(id: string): CallError {
  return new CallError('unimplemented', `${id}: more than one message came, where one was declared`)
}

export function tooLarge(size: number, limit: number): CallError {
  return new CallError('resource_exhausted', `a message of ${size} bytes; the limit is ${limit}`)
}

/** A body that is no sequence of messages, or of which no more can be kept. */
export function broken(why: BrokenFraming, limit: number): CallError {
  switch (why.kind) {
    case 'flag':
      return new CallError('internal', `a message begins with the byte ${why.flag}, which is not known`)
    case 'too large':
      return tooLarge(why.size, limit)
    case 'behind the end':
      return new CallError('internal', 'the body goes on behind the message that ends it')
    case 'truncated':
      return new CallError('internal', 'the body ends within a message')
    case 'refused':
      return new CallError('resource_exhausted', 'too many incomplete messages are kept already', {
        retryAfter: 1_000,
      })
  }
}

export function undecodable(error: unknown): unknown {
  if (!(error instanceof UndecodableMessage)) return error
  return new CallError(error.kind === 'too large' ? 'resource_exhausted' : 'internal', error.message)
}

/** The request's body ended before its time. */
export function bodyAborted({ reason, message }: HttpAbort): CallError {
  return new CallError(reason === 'protocol' ? 'internal' : 'canceled', message)
}

/** Foreign text in a message: bounded. */
function shown(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}
