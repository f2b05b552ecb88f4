/** One HTTP/2 connection to an endpoint, ready for requests: the server's SETTINGS have come, so it speaks HTTP/2. */
import type { Duplex } from 'node:stream'
import type { Limits } from '../call/limits.ts'
import { type OptionRules, aDuration, checkOptions, longestTime } from '../call/options.ts'
import { type Duration, parseDuration } from '../contract/duration.ts'
import { type Http2Transport, type Http2TransportOptions, openHttp2 } from '../http2/client.ts'

/** What `connect` takes as `http2`; everything has a default. */
export interface Http2ClientOptions {
  /**
   * A server that was silent for so long while calls are open is sent a PING; default 6 minutes, since servers of gRPC cut
   * off clients that ask more often than every five, unless they were told otherwise.
   */
  readonly keepaliveTime?: Duration
  /** A server that is silent for so long after that PING is given up, and its calls are `unavailable`; default 20 s. */
  readonly keepaliveTimeout?: Duration
}

const rules: OptionRules<Http2ClientOptions> = { keepaliveTime: aDuration, keepaliveTimeout: aDuration }

/** In milliseconds. Throws TypeError or ContractError for what is no such option, or no length of time. */
export function keepaliveOf(options: Http2ClientOptions): Keepalive {
  checkOptions('connect: http2', options, rules)
  const times: Record<string, number> = {}
  for (const [name, given] of Object.entries(options)) {
    if (given === undefined) continue
    const time = parseDuration(given, `connect: http2: ${name}`)
    if (time === 0 || time > longestTime) {
      throw new RangeError(
        `connect: http2: ${name}: expected more than 0 and at most 24.8 days, got ${given}`,
      )
    }
    times[name] = time
  }
  return times
}

export type Keepalive = Pick<Http2TransportOptions, 'keepaliveTime' | 'keepaliveTimeout'>

export interface Http2ConnectionSettings {
  readonly secure: boolean
  readonly limits: Limits
  /** How many requests may wait for the server's stream limit. */
  readonly queue: number
  /** Milliseconds that the server may take until it says that it speaks HTTP/2. */
  readonly timeout: number
  readonly keepalive: Keepalive
}

/**
 * Speaks HTTP/2 on a connected stream, which it destroys when it fails.
 *
 * @throws Error when the server does not speak HTTP/2, ends the connection, or takes too long.
 */
export function connectHttp2(stream: Duplex, settings: Http2ConnectionSettings): Promise<Http2Transport> {
  const { secure, limits, queue, timeout, keepalive } = settings
  const { headerSize, streamWindow, connectionWindow, headerTimeout, stallTimeout } = limits

  return new Promise((resolve, reject) => {
    const transport = openHttp2(stream, {
      secure,
      headerSize,
      streamWindow,
      connectionWindow,
      headerTimeout,
      stallTimeout,
      queue,
      ...keepalive,
    })
    const fail = (message: string) => {
      clearTimeout(timer)
      stream.destroy()
      reject(new Error(message))
    }
    const timer = setTimeout(() => fail(`the server did not speak HTTP/2 within ${timeout} ms`), timeout)

    transport.onState((why) => {
      if (transport.state !== 'ready') fail(why?.message ?? 'the connection was closed')
      else if (transport.settled) {
        clearTimeout(timer)
        resolve(transport)
      }
    })
  })
}
