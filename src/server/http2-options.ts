/** How a server keeps HTTP/2 connections: what gRPC calls keepalive, its enforcement, and the age of connections. */
import { type OptionRules, aDuration, checkOptions, longestTime } from '../call/options.ts'
import { type Duration, parseDuration } from '../contract/duration.ts'
import type { Http2ServerOptions } from '../http2/server.ts'

/** What `serve` takes as `http2`; everything has a default. */
export interface Http2Options {
  /** A client that was silent for so long while calls are open is sent a PING; default 15 s. */
  readonly keepaliveTime?: Duration
  /** A client that is silent for so long after that PING is given up; default 15 s. */
  readonly keepaliveTimeout?: Duration
  /** A client that sends PINGs oftener than this while nothing is sent to it is disconnected; default 5 s. */
  readonly pingInterval?: Duration
  /**
   * How old a connection may become until its client is asked to make another, so that calls spread anew over servers and
   * balancers; default: any age. Differs by up to a tenth from connection to connection, so that they do not all go at once.
   */
  readonly connectionAge?: Duration
  /** How long the calls of a connection that is too old may still take; default 60 s. */
  readonly connectionAgeGrace?: Duration
}

const rules: OptionRules<Http2Options> = {
  keepaliveTime: aDuration,
  keepaliveTimeout: aDuration,
  pingInterval: aDuration,
  connectionAge: aDuration,
  connectionAgeGrace: aDuration,
}

const names = {
  keepaliveTime: 'keepaliveTime',
  keepaliveTimeout: 'keepaliveTimeout',
  pingInterval: 'pingInterval',
  connectionAge: 'age',
  connectionAgeGrace: 'ageGrace',
} as const

/** Throws TypeError for an option that does not exist, ContractError for one that is no length of time. */
export function checkHttp2(options: Http2Options): void {
  checkOptions('serve: http2', options, rules)
  http2Limits(options)
}

/** The engine's own names for them. */
export function http2Limits(options: Http2Options): Partial<Http2ServerOptions> {
  const limits: Record<string, number> = {}
  for (const [name, engineName] of Object.entries(names)) {
    const given = options[name as keyof Http2Options]
    if (given === undefined) continue
    const time = parseDuration(given, `serve: http2: ${name}`)
    if (time === 0 || time > longestTime) {
      throw new RangeError(`serve: http2: ${name}: expected more than 0 and at most 24.8 days, got ${given}`)
    }
    limits[engineName] = time
  }
  return limits
}
