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
} from '../call/options.ts'
import type { AssembleOptions } from './assemble.ts'
import type { ServeOptions } from './serve.ts'

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
  tls: anObject,
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
  if (tls !== undefined && tls.pfx === undefined && tls.SNICallback === undefined) {
    if (tls.key === undefined || tls.cert === undefined) {
      throw new TypeError('serve: tls: a server needs key and cert (PEM), or pfx')
    }
  }
}

export function checkMountOptions(options: AssembleOptions): void {
  checkOptions('toNodeHandler', options, mountRules)
}
