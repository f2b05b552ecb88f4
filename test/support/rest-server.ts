// The REST wire's server half alone, behind node:http, for tests of what it answers.

import { type RequestOptions, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Filter } from '../../src/call/handler.ts'
import { type Limits, withLimits } from '../../src/call/limits.ts'
import type { Logger } from '../../src/call/logger.ts'
import type { HttpMount } from '../../src/wires/wire.ts'
import { nodeHandler } from '../../src/http1/node-adapter.ts'
import { ServerHost } from '../../src/server/host.ts'
import type { Implementation } from '../../src/server/implement.ts'
import { type RestOptions, rest } from '../../src/wires/rest/index.ts'

export interface RestTestServer extends AsyncDisposable {
  readonly port: number
  readonly url: string
  readonly host: ServerHost
  readonly mount: HttpMount
  /** What was logged: level, message. */
  readonly logged: [string, string][]
}

export interface RestTestOptions {
  readonly rest?: RestOptions
  readonly limits?: Partial<Limits>
  readonly filters?: readonly Filter[]
}

export async function restServer(
  implementations: readonly Implementation[],
  options: RestTestOptions = {},
): Promise<RestTestServer> {
  const logged: [string, string][] = []
  const log = Object.fromEntries(
    ['debug', 'info', 'warn', 'error'].map((level) => [
      level,
      (_: object, message: string) => logged.push([level, message]),
    ]),
  ) as unknown as Logger

  const { filters = [] } = options
  const host = new ServerHost(implementations, { filters, limits: withLimits(options.limits), log })
  const half = rest(options.rest).server
  if (half?.over !== 'http') throw new Error('the REST wire is over HTTP')
  const mount = half.mount(host)

  const server = createServer(nodeHandler((exchange) => void mount.serve(exchange, true)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo

  return {
    port,
    url: `http://127.0.0.1:${port}`,
    host,
    mount,
    logged,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly trailers: Readonly<Record<string, string | undefined>>
  readonly bytes: Buffer
  readonly text: string
}

/** A request of node:http, with any method and header, and nothing added. */
export function send(
  url: string,
  { body, ...options }: RequestOptions & { body?: string | Buffer } = {},
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent: false, ...options }, (answer) => {
      const pieces: Buffer[] = []
      answer.on('data', (piece: Buffer) => pieces.push(piece))
      answer.on('error', reject)
      answer.on('end', () => {
        const { statusCode = 0, headers, trailers } = answer
        const bytes = Buffer.concat(pieces)
        resolve({ status: statusCode, headers, trailers, bytes, text: bytes.toString() })
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
