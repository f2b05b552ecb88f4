import { clock } from '../call/clock.ts'
import { trackCurrentCall } from '../call/current.ts'
import { type Filter, type Handler, compose } from '../call/handler.ts'
import { type Limits, withLimits } from '../call/limits.ts'
import { type Logger, defaultLogger } from '../call/logger.ts'
import { Metadata, type MetadataInit } from '../call/metadata.ts'
import { type About, type Contract, type OperationsOf, about, contractInfo } from '../contract/contract.ts'
import { type Duration, parseDuration } from '../contract/duration.ts'
import type { Operation } from '../contract/operation.ts'
import type { Members } from '../contract/types.ts'
import { inProcess } from '../wires/in-process/index.ts'
import { defaultWires } from '../wires/index.ts'
import type { Host, Wire } from '../wires/wire.ts'
import { defaultBackoff } from './backoff.ts'
import { streamingMethod, unaryMethod } from './call-method.ts'
import type { ClientTlsOptions } from './dial.ts'
import { Endpoint, type EndpointSettings } from './endpoint.ts'
import { routeTo } from './route.ts'
import { type Target, parseTarget } from './target.ts'

/** A client: one method a call, typed by the contract. Ends with `await using` or `disconnect`. */
export type Client<C> = Members<OperationsOf<C>> &
  AsyncDisposable & { readonly [about]: About<OperationsOf<C>> }

/** What `connect` can be told; everything has a default. */
export interface ConnectOptions {
  /** The protocols whose URL schemes are understood. Default: trunk and REST. */
  readonly wires?: readonly Wire[]
  /** Filters: `call` around each call once, `attempt` around each try, when the endpoint is known. */
  readonly filters?: { readonly call?: readonly Filter[]; readonly attempt?: readonly Filter[] }
  /** How long a unary call may take when neither it nor its contract says; default 30 s. */
  readonly timeout?: Duration
  /** Goes with every call. */
  readonly metadata?: MetadataInit
  readonly tls?: ClientTlsOptions
  /** How long connecting may take, TLS included; default 5 s. */
  readonly connectTimeout?: Duration
  /** How many calls may wait for a connection, per URL; default 1,000. */
  readonly waiting?: number
  /** Whether calls wait, up to their deadline, while a server cannot be reached, instead of failing at once. */
  readonly waitForReady?: boolean
  readonly limits?: Partial<Limits>
  readonly log?: Logger
}

/** What a client can be connected to: URLs, or a server in the same process. */
export type ConnectTarget =
  | string
  | URL
  | readonly (string | URL)[]
  | { readonly internals: { readonly host: Host } }

const endings = new WeakMap<object, (grace: number) => Promise<void>>()

/**
 * Makes a client of a contract. Connects when the first call is made, and again whenever the connection was lost.
 *
 * @param contract What `contract()` returned.
 * @param target A URL whose scheme is the wire (`trunk://`, `trunks://`, `trunk+unix://`, `http://`, `https://`); several
 *   of them, over which calls are balanced; or a server of this process.
 * @param options See `ConnectOptions`.
 * @returns A method a call. Every method throws `CallError` and nothing else.
 * @throws TypeError when a URL has no wire, or the wire cannot carry an operation of the contract at all.
 *
 * @example
 * ```ts
 * import { call, connect, contract, implement, serve } from 'trunkline'
 * import * as z from 'zod'
 *
 * const Doubler = contract('acme.doubler.v1', {
 *   double: call({ input: z.object({ n: z.int32() }), output: z.object({ n: z.int32() }) }),
 * })
 *
 * await using server = await serve(implement(Doubler, { double: ({ n }) => ({ n: n * 2 }) }), { port: 0 })
 * await using client = connect(Doubler, [`trunk://127.0.0.1:${server.port}`, `http://127.0.0.1:${server.port}`])
 * console.log((await client.double({ n: 21 }, { timeout: '500ms' })).n) // 42
 * ```
 */
export function connect<C extends Contract>(
  contract: C,
  target: ConnectTarget,
  options: ConnectOptions = {},
): Client<C> {
  const info = contractInfo(contract)
  const limits = withLimits(options.limits)
  const settings: EndpointSettings = {
    contract: info,
    limits,
    clock,
    log: options.log ?? defaultLogger,
    tls: options.tls,
    connectTimeout: parseDuration(options.connectTimeout ?? 5_000, 'connectTimeout'),
    backoff: defaultBackoff,
    waiting: options.waiting ?? 1_000,
    waitForReady: options.waitForReady ?? false,
  }

  const targets = targetsOf(target, options.wires)
  const endpoints = targets.map((each) => new Endpoint(each, settings))
  const method = {
    handler: compose(options.filters?.call ?? [], routeTo(endpoints, options.filters?.attempt ?? [], clock)),
    clock,
    timeout: options.timeout === undefined ? limits.callTimeout : parseDuration(options.timeout, 'timeout'),
    metadata: options.metadata === undefined ? undefined : new Metadata(options.metadata),
  }

  const client: Record<PropertyKey, unknown> = {}
  for (const operation of info.operations.values()) {
    Object.defineProperty(client, operation.name, {
      value: memberOf(operation, refusal(operation, targets, method.handler), method),
      enumerable: true,
    })
  }

  const end = async (grace: number) => {
    await Promise.all(endpoints.map((endpoint) => endpoint.close(grace)))
  }
  client[Symbol.asyncDispose] = () => end(10_000)
  client[about] = contract[about]
  endings.set(client, end)
  trackCurrentCall()
  return Object.freeze(client) as Client<C>
}

/**
 * Closes a client: refuses new calls, waits for the open ones, and closes its connections. A function and not a method,
 * since every name on a client belongs to its contract.
 *
 * @param client What `connect` returned.
 * @param options `grace`: how long open calls may still take, in milliseconds; default 10 000. Then they are cut.
 */
export async function disconnect(
  client: AsyncDisposable,
  options: { readonly grace?: number } = {},
): Promise<void> {
  const end = endings.get(client)
  if (end === undefined) throw new TypeError('disconnect: expected a client, as connect() returns it')
  await end(options.grace ?? 10_000)
}

function targetsOf(target: ConnectTarget, given: readonly Wire[] | undefined): readonly Target[] {
  if (typeof target === 'object' && 'internals' in target) {
    const wire = inProcess(target.internals.host)
    return [{ url: new URL('in-process:'), wire, secure: true, address: { path: '' }, label: 'in-process' }]
  }

  const wires = given ?? defaultWires()
  const urls = Array.isArray(target) ? (target as readonly (string | URL)[]) : [target as string | URL]
  if (urls.length === 0) throw new TypeError('connect: expected at least one URL')
  return urls.map((url) => parseTarget(String(url), wires))
}

/** A handler that explains, when no endpoint's wire can carry the operation; else the usual one. */
function refusal(operation: Operation, targets: readonly Target[], handler: Handler): Handler {
  const reasons = targets.map(({ wire }) => wire.supports(operation))
  if (reasons.every((reason) => reason === true)) return handler
  const [why] = reasons.filter((reason) => reason !== true)
  return () => {
    throw new TypeError(why)
  }
}

function memberOf(
  operation: Operation,
  handler: Handler,
  settings: Parameters<typeof unaryMethod>[1],
): unknown {
  if (operation.kind === 'call') {
    const own = { ...settings, handler }
    return operation.output?.stream === true ? streamingMethod(operation, own) : unaryMethod(operation, own)
  }

  const refuse = (verb: string) => () =>
    Promise.reject(
      new TypeError(
        `${operation.id}.${verb}: no engine carries ${operation.kind}s yet; this version has calls only`,
      ),
    )
  return {
    event: { publish: refuse('publish') },
    task: { send: refuse('send'), result: refuse('result') },
    collection: { open: refuse('open') },
  }[operation.kind]
}
