import type { Logger } from '../call/logger.ts'
import { checkGrace } from '../call/options.ts'
import type { ContractInfo } from '../contract/operation.ts'
import type { HttpExchange } from '../http/exchange.ts'
import { serveHttp1 } from '../http1/server.ts'
import { serveHttp2 } from '../http2/server.ts'
import type { ByteServer, ConnectionInfo, HttpMount, Served } from '../wires/wire.ts'
import { type AdminListener, listenForAdmin } from './admin-listener.ts'
import { assemble } from './assemble.ts'
import type { ServerHost } from './host.ts'
import { http2Limits } from './http2-options.ts'
import type { Implementation } from './implement.ts'
import type { Address } from './bind.ts'
import { Listener } from './listener.ts'
import { type ServeOptions, checkServeOptions } from './options.ts'
import { endAll, listenElsewhere } from './own-listeners.ts'
import { warnOfCertificates } from './tls.ts'

/** A running server. */
export interface Server extends AsyncDisposable {
  /** The port it listens on; 0 with a Unix socket. */
  readonly port: number
  readonly address: Address
  /** `127.0.0.1:7000`, or `unix:/run/orders.sock`: what a URL has behind its scheme. */
  readonly authority: string
  readonly contracts: readonly ContractInfo[]
  /** Calls and connections open now. */
  readonly active: number
  readonly connections: number
  /** Where `/metrics` and `/healthz` are, if `admin` was asked for. */
  readonly adminPort: number | undefined
  /** For in-process clients and mounting: what wires see of this server. */
  readonly internals: ServerInternals
  /**
   * Takes no new connections and calls, tells the peers so, waits for the open calls, and closes.
   *
   * @param options `grace`: how long open calls may still take, in milliseconds; default 10 000. Then they are cut.
   * @returns Resolves when all is closed. A second call returns the same promise, whatever its `grace`.
   */
  close(options?: { readonly grace?: number }): Promise<void>
}

export interface ServerInternals {
  readonly host: ServerHost
  readonly http: readonly HttpMount[]
}

/**
 * Serves contracts on one port, over every wire at once.
 *
 * @param what What `implement` returned, or several of them for several contracts.
 * @param options See `ServeOptions`.
 * @returns The running server, which closes at the end of an `await using` block.
 * @throws TypeError for a mistake in the options; an Error with Node's `code` when the port or socket cannot be had.
 *
 * @example
 * ```ts
 * import { call, connect, contract, implement, serve } from 'trunkline'
 * import * as z from 'zod'
 *
 * const Greeter = contract('acme.greeter.v1', {
 *   greet: call({ input: z.object({ name: z.string() }), output: z.object({ text: z.string() }) }),
 * })
 *
 * await using server = await serve(implement(Greeter, { greet: ({ name }) => ({ text: `Hello ${name}` }) }), { port: 0 })
 * await using greeter = connect(Greeter, `trunk://127.0.0.1:${server.port}`)
 * console.log((await greeter.greet({ name: 'Ada' })).text) // Hello Ada
 * ```
 */
export async function serve(
  what: Implementation | readonly Implementation[],
  options: ServeOptions = {},
): Promise<Server> {
  checkServeOptions(options)
  const { host, wires, http, metrics } = assemble(what, options)
  const onError = (error: unknown) => host.log.error({ err: error }, 'answering an HTTP request failed')
  const httpOptions = { ...host.limits, onError }
  const http2Options = { ...httpOptions, ...http2Limits(options.http2 ?? {}) }
  const handler = httpHandler(http, options.fallback)
  const listener = new Listener({
    tls: options.tls,
    host,
    wires: wires.flatMap(({ server }): ByteServer[] => (server?.over === 'bytes' ? [server] : [])),
    http1: (stream, connection: ConnectionInfo): Served =>
      serveHttp1(stream, connection, handler, httpOptions),
    http2: (stream, connection: ConnectionInfo): Served =>
      serveHttp2(stream, connection, handler, http2Options),
  })

  warnWhenOpen(options, host.log)
  if (options.tls !== undefined) warnOfCertificates(options.tls, host.log)
  const opened: (() => Promise<void>)[] = []

  try {
    const admin = metrics && (await listenForAdmin(options.admin?.port ?? 0, host, metrics))
    if (admin) opened.push(admin.close)
    const own = await listenElsewhere(options.listen ?? [], wires, host)
    opened.push(() => endAll(own, 0))
    const address = await listener.listen(
      options.path === undefined
        ? { port: options.port ?? 7000, host: options.host ?? '127.0.0.1' }
        : { path: options.path },
    )
    return running({ host, http, listener, own, admin, address })
  } catch (error) {
    await Promise.all(opened.map((close) => close()))
    throw error
  }
}

interface Parts {
  readonly host: ServerHost
  readonly http: readonly HttpMount[]
  readonly listener: Listener
  readonly own: readonly Served[]
  readonly admin: AdminListener | undefined
  readonly address: Address
}

function running({ host, http, listener, own, admin, address }: Parts): Server {
  let closing: Promise<void> | undefined
  const close = ({ grace = 10_000 }: { readonly grace?: number } = {}) => {
    if (closing === undefined) checkGrace('close', grace)
    host.draining = true
    for (const mount of http) mount.drain?.()
    return (closing ??= Promise.all([listener.close(grace), endAll([...own, ...host.inside], grace)]).then(
      () => admin?.close(),
    ))
  }

  return {
    port: address.port,
    address,
    authority: authorityOf(address),
    contracts: host.contracts,
    get active() {
      return [...own, ...host.inside].reduce((sum, served) => sum + served.active, listener.active)
    },
    get connections() {
      return listener.connections
    },
    adminPort: admin?.port,
    internals: { host, http },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Asks the HTTP wires in their order; the last one answers what nobody knows, unless there is a fallback. */
function httpHandler(
  mounts: readonly HttpMount[],
  fallback: ((exchange: HttpExchange) => void) | undefined,
): (exchange: HttpExchange) => void {
  const last = fallback === undefined ? mounts.length - 1 : -1
  return (exchange) => {
    for (let i = 0; i < mounts.length; i++) if ((mounts[i] as HttpMount).serve(exchange, i === last)) return
    if (fallback !== undefined) fallback(exchange)
    else exchange.abort({ reason: 'refused', message: 'no wire on HTTP is served here', processed: 'no' })
  }
}

function warnWhenOpen({ host, path, tls, authenticate }: ServeOptions, log: Logger): void {
  if (path !== undefined || host === undefined || /^(127\.|::1$|localhost$)/.test(host)) return
  const anybody = authenticate === undefined && tls?.clientCa === undefined
  if (tls !== undefined && !anybody) return
  const lacking = [tls === undefined ? 'tls' : '', anybody ? 'authenticate' : ''].filter(Boolean)
  log.warn(
    { host },
    `serving outside of this machine without ${lacking.join(' and ')}: pass ${lacking.join(', ')} to serve()`,
  )
}

function authorityOf({ host, port, path }: Address): string {
  if (path !== undefined) return `unix:${path}`
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
