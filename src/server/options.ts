/** What `serve` and `toNodeHandler` accept, and what does not go together. */
import {
  type OptionRules,
  aFunction,
  aLogger,
  aPort,
  anObject,
  arrayOf,
  checkOptions,
  someFilters,
  someText,
  someWires,
  tlsObject,
} from '../call/options.ts'
import type { Filter } from '../call/handler.ts'
import type { Limits } from '../call/limits.ts'
import type { Logger } from '../call/logger.ts'
import type { HttpExchange } from '../http/exchange.ts'
import type { Wire } from '../wires/wire.ts'
import type { Authenticate } from './authenticate.ts'
import { type Http2Options, checkHttp2 } from './http2-options.ts'
import { type TlsOptions, checkTls } from './tls.ts'

/** What `serve` can be told; everything has a default. */
export interface ServeOptions {
  /** The TCP port; 0 picks a free one. Default 7000. */
  readonly port?: number
  /** The address to listen on. Default `127.0.0.1`: nobody outside the machine until you say so. */
  readonly host?: string
  /** A Unix socket to listen on, instead of port and host. */
  readonly path?: string
  /** The protocols to serve, all on the one port. Default: trunk, gRPC and REST. */
  readonly wires?: readonly Wire[]
  /** URLs that wires without a port of ours listen to, such as calls over a queue. */
  readonly listen?: readonly string[]
  /** Around every call of every contract; the first is the outermost. */
  readonly filters?: readonly Filter[]
  /** Says who calls, before a body is decoded. Needed as soon as an operation has `scopes`. */
  readonly authenticate?: Authenticate
  /** TLS on the port: certificate and key, and who is asked for one. */
  readonly tls?: TlsOptions
  readonly limits?: Partial<Limits>
  /** How HTTP/2 connections are kept: keepalive, and how old they may become. */
  readonly http2?: Http2Options
  readonly log?: Logger
  /** Serves `/metrics` and `/healthz` on 127.0.0.1 at this port; 0 picks a free one. */
  readonly admin?: { readonly port: number }
  /** Answers the HTTP requests that no contract knows: an existing application behind Trunkline. */
  readonly fallback?: (exchange: HttpExchange) => void
}

/** The options of `serve` that have nothing to do with listening. */
export type AssembleOptions = Pick<ServeOptions, 'wires' | 'filters' | 'authenticate' | 'limits' | 'log'>

const mountRules: OptionRules<AssembleOptions> = {
  wires: someWires,
  filters: someFilters,
  authenticate: aFunction,
  limits: anObject,
  log: aLogger,
}

const serveRules: OptionRules<ServeOptions> = {
  port: aPort,
  host: someText,
  path: someText,
  ...mountRules,
  listen: arrayOf(someText, 'an array of URLs as strings'),
  http2: anObject,
  tls: tlsObject,
  admin: anObject,
  fallback: { ...aFunction, expected: 'a function of an exchange, such as fromNodeHandler(app) returns' },
}

/** Throws TypeError for an option that does not exist, has the wrong type, or contradicts another. */
export function checkServeOptions(options: ServeOptions): void {
  checkOptions('serve', options, serveRules)
  const { admin, path, port, host, tls } = options
  if (admin !== undefined) checkOptions('serve: admin', admin, { port: aPort })

  if (path !== undefined && (port !== undefined || host !== undefined)) {
    throw new TypeError('serve: path is a Unix socket instead of port and host; give one or the other')
  }
  if (tls !== undefined) checkTls(tls)
  if (options.http2 !== undefined) checkHttp2(options.http2)
}

export function checkMountOptions(options: AssembleOptions): void {
  checkOptions('toNodeHandler', options, mountRules)
}
