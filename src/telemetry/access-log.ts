import { clock } from '../call/clock.ts'
import type { Filter } from '../call/handler.ts'
import type { Logger } from '../call/logger.ts'

/**
 * A filter that logs each call when it has ended: operation, wire, peer, principal, code, duration and messages.
 *
 * @param log A pino logger, or anything with its `info`.
 *
 * @example
 * ```ts
 * import { accessLog, call, contract, implement, serve } from 'trunkline'
 *
 * const Ping = contract('acme.ping.v1', { ping: call({}) })
 * const log = { debug() {}, info: (fields: object) => console.log(fields), warn() {}, error() {} }
 *
 * await using server = await serve(implement(Ping, { ping() {} }), { port: 0, filters: [accessLog(log)] })
 * console.log(server.port > 0)
 * ```
 */
export function accessLog(log: Logger): Filter {
  return (next) => (call) => {
    const started = clock.now()

    call.onEnd(({ error, received, sent }) => {
      const fields = {
        operation: call.operation.id,
        wire: call.peer?.wire,
        peer: call.peer?.address,
        principal: call.principal?.id,
        code: error?.code ?? 'ok',
        fault: error?.fault?.name,
        milliseconds: Math.round((performance.now() - started) * 1000) / 1000,
        received,
        sent,
      }
      log.info(fields, 'call')
    })

    return next(call)
  }
}
