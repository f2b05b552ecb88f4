/** One HTTP/2 connection to an endpoint, ready for requests: the server's SETTINGS have come, so it speaks HTTP/2. */
import type { Duplex } from 'node:stream'
import type { Limits } from '../call/limits.ts'
import { type Http2Transport, openHttp2 } from '../http2/client.ts'

export interface Http2ConnectionSettings {
  readonly secure: boolean
  readonly limits: Limits
  /** How many requests may wait for the server's stream limit. */
  readonly queue: number
  /** Milliseconds that the server may take until it says that it speaks HTTP/2. */
  readonly timeout: number
}

/**
 * Speaks HTTP/2 on a connected stream, which it destroys when it fails.
 *
 * @throws Error when the server does not speak HTTP/2, ends the connection, or takes too long.
 */
export function connectHttp2(stream: Duplex, settings: Http2ConnectionSettings): Promise<Http2Transport> {
  const { secure, limits, queue, timeout } = settings
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
