import { CallError } from '../call/error.ts'
import type { Filter } from '../call/handler.ts'
import type { Logger } from '../call/logger.ts'
import type { Metadata } from '../call/metadata.ts'
import type { Peer } from '../call/peer.ts'
import type { Principal } from '../call/principal.ts'
import type { CallOperation } from '../contract/operation.ts'

/** What authentication decides by: everything that is known before a body is read. */
export interface AuthenticationRequest {
  readonly metadata: Metadata
  readonly peer: Peer
  readonly operation: CallOperation
}

/**
 * Says who calls, or `undefined` for nobody in particular. Throws `CallError('unauthenticated', …)` for credentials that
 * are wrong. Runs before the body is decoded.
 */
export type Authenticate = (
  request: AuthenticationRequest,
) => Principal | undefined | Promise<Principal | undefined>

/** Finds out the principal, and holds it to the operation's scopes. */
export function authentication(authenticate: Authenticate, log: Logger): Filter {
  return (next) => (call) => {
    const found = authenticate({
      metadata: call.metadata,
      peer: call.peer as Peer,
      operation: call.operation,
    })

    const proceed = (principal: Principal | undefined) => {
      call.principal = principal
      authorize(call.operation, principal, log)
      return next(call)
    }

    return found instanceof Promise ? found.then(proceed) : proceed(found)
  }
}

/** The reason goes to the log; the caller learns only which of the two it was. */
function authorize({ id, scopes }: CallOperation, principal: Principal | undefined, log: Logger): void {
  if (scopes.length === 0) return

  if (principal === undefined) {
    log.info({ operation: id, code: 'unauthenticated', needed: scopes }, 'refused: no principal')
    throw new CallError('unauthenticated', 'credentials are needed')
  }

  const missing = scopes.filter((scope) => !principal.scopes?.includes(scope))
  if (missing.length === 0) return
  log.info(
    { operation: id, code: 'permission_denied', principal: principal.id, missing },
    'refused: scopes missing',
  )
  throw new CallError('permission_denied', 'not allowed')
}

/** Scopes that nothing could ever check are a mistake, found when the server starts. */
export function refuseUncheckedScopes(
  operations: Iterable<CallOperation>,
  authenticate: Authenticate | undefined,
): void {
  if (authenticate !== undefined) return
  for (const { id, scopes } of operations) {
    if (scopes.length === 0) continue
    throw new TypeError(
      `serve: ${id} asks for the scope ${scopes.join(', ')}, but the server has no way to authenticate; ` +
        `pass authenticate: (request) => principal to serve()`,
    )
  }
}
