import type http from 'node:http'
import { HttpHeaders } from '../http/headers.ts'
import { nodeExchange } from '../http1/node-adapter.ts'
import type { HttpMount } from '../wires/wire.ts'
import { assemble } from './assemble.ts'
import { type Implementation, isImplementation } from './implement.ts'
import { type AssembleOptions, checkMountOptions } from './options.ts'
import type { Server } from './serve.ts'

/** A listener of node:http's `request` event that is also a middleware of Express. */
export type MountedHandler = (
  request: http.IncomingMessage,
  response: http.ServerResponse,
  next?: (error?: unknown) => void,
) => void

/**
 * Puts contracts inside an existing node:http, Express, fastify or NestJS application: its HTTP wires, without a port of
 * their own.
 *
 * @param what What `implement` returned, or several of them; or a running server, whose contracts are then served here too.
 * @param options The wires, filters, limits and authentication, as `serve` takes them; ignored for a running server.
 * @returns `(request, response, next?)`. What no contract knows goes to `next`; without one it is answered with 404.
 *
 * @example
 * ```ts
 * import http from 'node:http'
 * import { call, contract, implement, toNodeHandler } from 'trunkline'
 *
 * const Ping = contract('acme.ping.v1', { ping: call({ rest: 'GET /ping' }) })
 * const app = http.createServer(toNodeHandler(implement(Ping, { ping() {} })))
 * await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve))
 * const { port } = app.address() as { port: number }
 * console.log((await fetch(`http://127.0.0.1:${port}/ping`)).status) // 204
 * app.close()
 * ```
 */
export function toNodeHandler(
  what: Server | Implementation | readonly Implementation[],
  options: AssembleOptions = {},
): MountedHandler {
  const mounts = mountsOf(what, options)

  return (request, response, next) => {
    const exchange = nodeExchange(request, response)
    const last = next === undefined ? mounts.length - 1 : -1

    // node:http lets a repeated or malformed Host through.
    if (exchange.request.authority === '' && mounts.some((mount) => mount.matches(exchange.request))) {
      exchange.respond(badHost, 'The Host header field is missing, repeated or invalid.\n')
      return
    }
    for (const [index, mount] of mounts.entries()) if (mount.serve(exchange, index === last)) return
    next?.()
  }
}

const badHost = { status: 400, headers: new HttpHeaders(['content-type', 'text/plain; charset=utf-8']) }

function mountsOf(
  what: Server | Implementation | readonly Implementation[],
  options: AssembleOptions,
): readonly HttpMount[] {
  const mounts = isRunning(what) ? what.internals.http : assembled(what, options)
  if (mounts.length > 0) return mounts
  throw new TypeError('toNodeHandler: none of the wires is on HTTP, so there is nothing to mount')
}

function assembled(
  what: Implementation | readonly Implementation[],
  options: AssembleOptions,
): readonly HttpMount[] {
  if (!Array.isArray(what) && !isImplementation(what)) {
    throw new TypeError(
      'toNodeHandler: expected a running server, or what implement(contract, handlers) returned',
    )
  }
  checkMountOptions(options)
  return assemble(what, options).http
}

function isRunning(what: unknown): what is Server {
  return typeof what === 'object' && what !== null && 'internals' in what
}
