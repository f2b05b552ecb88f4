/** What every client is made of: endpoints, filters, and a member an operation. Nothing is connected before the first call. */
import { clock } from '../call/clock.ts'
import { trackCurrentCall } from '../call/current.ts'
import { type Filter, type Handler, compose } from '../call/handler.ts'
import { type Limits, withLimits } from '../call/limits.ts'
import { type Logger, defaultLogger } from '../call/logger.ts'
import { Metadata, type MetadataInit } from '../call/metadata.ts'
import { type Duration, parseDuration } from '../contract/duration.ts'
import type { ContractInfo, Operation } from '../contract/operation.ts'
import { inProcess } from '../wires/in-process/index.ts'
import { defaultWires } from '../wires/index.ts'
import type { Host, Wire } from '../wires/wire.ts'
import { defaultBackoff } from './backoff.ts'
import { streamingMethod, unaryMethod } from './call-method.ts'
import type { ClientTlsOptions } from './dial.ts'
import { Endpoint, type EndpointSettings } from './endpoint.ts'
import { routeTo } from './route.ts'
import { type Target, parseTarget } from './target.ts'

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

export interface OpenedClient {
  /** By operation: a method, or an object of methods for what is no call. */
  readonly members: ReadonlyMap<string, unknown>
  end(grace: number): Promise<void>
}

/** Endpoints, filters and the members of a client; nothing is connected yet. */
export function openClient(info: ContractInfo, target: ConnectTarget, options: ConnectOptions): OpenedClient {
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

  const members = new Map<string, unknown>()
  for (const operation of info.operations.values()) {
    members.set(operation.name, memberOf(operation, refusal(operation, targets, method.handler), method))
  }
  trackCurrentCall()

  return {
    members,
    async end(grace) {
      await Promise.all(endpoints.map((endpoint) => endpoint.close(grace)))
    },
  }
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
