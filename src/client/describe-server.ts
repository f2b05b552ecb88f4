/** What a server says of itself, for callers that have no contract. */
import { clock } from '../call/clock.ts'
import { CallError } from '../call/error.ts'
import { type Limits, withLimits } from '../call/limits.ts'
import { type Logger, defaultLogger } from '../call/logger.ts'
import type { ContractDescription } from '../contract/describe.ts'
import { type Duration, parseDuration } from '../contract/duration.ts'
import { fromDescription } from '../contract/from-description.ts'
import type { ContractInfo } from '../contract/operation.ts'
import type { HttpTransport } from '../http/exchange.ts'
import { http1Transport } from '../http1/client.ts'
import { defaultWires } from '../wires/default.ts'
import type { DescribeOptions, Wire } from '../wires/wire.ts'
import { dial } from './dial.ts'
import { connectHttp2 } from './http2-connection.ts'
import { type Target, parseTarget } from './target.ts'
import { type ClientTlsOptions, checkClientTls } from './tls.ts'

/** What `describeServer` can be told; everything has a default. */
export interface DescribeServerOptions {
  /** The protocols whose URL schemes are understood. Default: trunk, gRPC and REST. */
  readonly wires?: readonly Wire[]
  readonly tls?: ClientTlsOptions
  /** How long it may take, connecting included; default 5 s. */
  readonly timeout?: Duration
  readonly log?: Logger
}

/**
 * Asks a server which contracts it serves.
 *
 * @param url As for `connect`. trunk has a frame for it; over HTTP it is `GET /trunkline.json` below the
 *   URL's path; any gRPC server is asked by server reflection.
 * @param options See `DescribeServerOptions`.
 * @returns The contracts as the server resolved them, for `connectTo`, `describe`, `diff` and documents. What only a
 *   schema library can check (`refine`) is not part of them.
 * @throws CallError `unavailable` when the server cannot be reached, `unimplemented` when it does not describe itself,
 *   `deadline_exceeded` when it takes too long; TypeError for a URL that has no wire.
 *
 * @example
 * ```ts
 * import { call, contract, describeServer, implement, serve } from 'trunkline'
 *
 * const Ping = contract('acme.ping.v1', { ping: call({ rest: 'GET /ping' }) })
 *
 * await using server = await serve(implement(Ping, { ping() {} }), { port: 0 })
 * const contracts = await describeServer(`http://127.0.0.1:${server.port}`)
 * console.log(contracts.map(({ name }) => name)) // [ 'acme.ping.v1' ]
 * ```
 */
export async function describeServer(
  url: string | URL,
  options: DescribeServerOptions = {},
): Promise<readonly ContractInfo[]> {
  const target = parseTarget(String(url), options.wires ?? defaultWires())
  if (options.tls !== undefined) checkClientTls('connect: tls', options.tls)
  const timeout = parseDuration(options.timeout ?? 5_000, 'timeout')
  const descriptions = await within(timeout, target, (ended) => ask(target, options, timeout, ended))

  return descriptions.map(fromDescription)
}

function ask(
  target: Target,
  { tls, log }: DescribeServerOptions,
  timeout: number,
  ended: AbortSignal,
): Promise<readonly ContractDescription[]> {
  const { client } = target.wire
  const limits = withLimits(undefined)
  const peer = { address: target.label, wire: target.wire.name, secure: target.secure }
  const settings: DescribeOptions = { url: target.url, peer, limits, clock, log: log ?? defaultLogger }

  if (client?.over === 'bytes' && client.describe !== undefined) {
    return overBytes(target, { alpn: [client.alpn], tls, timeout }, ended, (stream) =>
      (client.describe as NonNullable<typeof client.describe>)(stream, settings),
    )
  }

  if (client?.over === 'http' && client.describe !== undefined) {
    const ask = client.describe
    return client.versions[0] === '2'
      ? overHttp2(target, { alpn: ['h2'], tls, timeout }, limits, ended, (each) => ask(each, settings))
      : overHttp1(target, { alpn: ['http/1.1'], tls, timeout }, limits, ended, (each) => ask(each, settings))
  }

  throw new CallError(
    'unimplemented',
    `${target.label}: servers do not describe themselves over ${target.wire.name}`,
  )
}

async function overBytes<T>(
  target: Target,
  settings: Parameters<typeof dial>[1],
  ended: AbortSignal,
  run: (stream: Awaited<ReturnType<typeof dial>>) => Promise<T>,
): Promise<T> {
  const stream = await dial(target, settings)
  ended.addEventListener('abort', () => stream.destroy(), { once: true })
  try {
    return await run(stream)
  } finally {
    stream.destroy()
  }
}

async function overHttp2<T>(
  target: Target,
  settings: Parameters<typeof dial>[1],
  limits: Limits,
  ended: AbortSignal,
  run: (transport: HttpTransport) => Promise<T>,
): Promise<T> {
  const { secure } = target
  return overBytes(target, settings, ended, async (stream) => {
    const options = { secure, limits, keepalive: {}, queue: 1, timeout: settings.timeout }
    const transport = await connectHttp2(stream, options).catch((error: Error) => {
      const why = { processed: 'no', origin: 'downstream', cause: error } as const
      throw new CallError('unavailable', `${target.label}: ${error.message}`, why)
    })
    return run(transport)
  })
}

async function overHttp1<T>(
  target: Target,
  settings: Parameters<typeof dial>[1],
  limits: Limits,
  ended: AbortSignal,
  run: (transport: HttpTransport) => Promise<T>,
): Promise<T> {
  const transport = http1Transport(() => dial(target, settings), { secure: target.secure, ...limits })
  ended.addEventListener('abort', () => void transport.close(0), { once: true })
  try {
    return await run(transport)
  } finally {
    await transport.close(0)
  }
}

/** Ends what takes too long. */
async function within<T>(
  milliseconds: number,
  target: Target,
  run: (ended: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    late.reject(
      new CallError(
        'deadline_exceeded',
        `${target.label} did not describe itself within ${milliseconds} ms`,
        {
          origin: 'downstream',
        },
      ),
    )
    controller.abort()
  }, milliseconds)

  try {
    return await Promise.race([run(controller.signal), late.promise])
  } finally {
    clearTimeout(timer)
  }
}
