/** What every client is made of: endpoints, filters, and a member an operation. Nothing is connected before the first call. */
import { clock } from '../call/clock.ts'
import { trackCurrentCall } from '../call/current.ts'
import { CallError } from '../call/error.ts'
import { type Filter, type Handler, compose } from '../call/handler.ts'
import { type Limits, withLimits } from '../call/limits.ts'
import { type Logger, defaultLogger } from '../call/logger.ts'
import { Metadata, type MetadataInit } from '../call/metadata.ts'
import {
  type OptionRules,
  aBoolean,
  aDuration,
  aLogger,
  anObject,
  checkOptions,
  someFilters,
  someWires,
  tlsObject,
} from '../call/options.ts'
import { type Duration, parseDuration } from '../contract/duration.ts'
import type { ContractInfo, Operation } from '../contract/operation.ts'
import { inProcess } from '../wires/in-process/index.ts'
import { defaultWires } from '../wires/default.ts'
import type { Host, Wire } from '../wires/wire.ts'
import { defaultBackoff } from './backoff.ts'
import { streamingMethod, unaryMethod } from './call-method.ts'
import { Endpoint, type EndpointSettings } from './endpoint.ts'
import { type Http2ClientOptions, keepaliveOf } from './http2-connection.ts'
import { type Way, along, wayTo } from './route.ts'
import { type Target, parseTarget } from './target.ts'
import { type ClientTlsOptions, checkClientTls } from './tls.ts'
import { WaitingRoom } from './waiting-room.ts'

/** What `connect` can be told; everything has a default. */
export interface ConnectOptions {
  /** The protocols whose URL schemes are understood. Default: trunk, gRPC and REST. */
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
  /** How HTTP/2 connections are watched while calls are open. */
  readonly http2?: Http2ClientOptions
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
  checkOptions('connect', options, rules)
  checkFilters(options.filters)
  const limits = withLimits(options.limits)
  const waiting = options.waiting ?? 1_000
  const settings: EndpointSettings = {
    contract: info,
    limits,
    clock,
    log: options.log ?? defaultLogger,
    tls: options.tls,
    connectTimeout: parseDuration(options.connectTimeout ?? 5_000, 'connectTimeout'),
    backoff: defaultBackoff,
    waiting,
    keepalive: keepaliveOf(options.http2 ?? {}),
  }

  const targets = targetsOf(target, options.wires)
  if (options.tls !== undefined && !targets.some(({ secure }) => secure)) {
    throw new TypeError('connect: tls is given, but no URL is one of TLS; write trunks:// or https://')
  }
  if (options.tls !== undefined) checkClientTls('connect: tls', options.tls)

  const endpoints = targets.map((target) => ({ target, endpoint: new Endpoint(target, settings) }))
  const waitingRoom = options.waitForReady === true ? new WaitingRoom(waiting * targets.length) : undefined
  const { call: callFilters = [], attempt: filters = [] } = options.filters ?? {}
  const route = (those: readonly Endpoint[]): Way => {
    const way = wayTo(those, { filters, clock, waitingRoom })
    return callFilters.length === 0 ? way : oneTry(compose(callFilters, along(way)))
  }
  const everywhere = route(endpoints.map(({ endpoint }) => endpoint))

  /** The operation's calls go to the endpoints whose wire can carry it. */
  const wayOf = (operation: Operation): Way => {
    const reasons = targets.map(({ wire }) => wire.supports(operation))
    if (reasons.every((reason) => reason === true)) return everywhere
    const able = endpoints.filter((_, index) => reasons[index] === true).map(({ endpoint }) => endpoint)
    if (able.length > 0) return route(able)
    return refusal(reasons.find((reason) => reason !== true) as string)
  }

  const method = {
    clock,
    timeout: options.timeout === undefined ? limits.callTimeout : parseDuration(options.timeout, 'timeout'),
    metadata: options.metadata === undefined ? undefined : new Metadata(options.metadata),
  }
  const members = new Map<string, unknown>()
  for (const operation of info.operations.values()) {
    members.set(operation.name, memberOf(operation, { ...method, way: wayOf(operation) }))
  }
  trackCurrentCall()

  return {
    members,
    async end(grace) {
      waitingRoom?.close()
      await Promise.all(endpoints.map(({ endpoint }) => endpoint.close(grace)))
    },
  }
}

const rules: OptionRules<ConnectOptions> = {
  wires: someWires,
  filters: anObject,
  timeout: aDuration,
  metadata: { ...anObject, expected: 'Metadata, or an object of names and values' },
  tls: tlsObject,
  connectTimeout: aDuration,
  waiting: {
    fits: (value) => Number.isInteger(value) && (value as number) > 0,
    expected: 'an integer from 1 on',
  },
  waitForReady: aBoolean,
  limits: anObject,
  http2: anObject,
  log: aLogger,
}

function checkFilters(filters: ConnectOptions['filters']): void {
  if (filters === undefined) return
  checkOptions('connect: filters', filters, { call: someFilters, attempt: someFilters })
}

function targetsOf(target: ConnectTarget, given: readonly Wire[] | undefined): readonly Target[] {
  if (typeof target === 'object' && target !== null && 'internals' in target) {
    const wire = inProcess(target.internals.host)
    return [{ url: new URL('in-process:'), wire, secure: true, address: { path: '' }, label: 'in-process' }]
  }

  const several = Array.isArray(target)
  const urls = several ? (target as readonly (string | URL)[]) : [target as string | URL]
  if (urls.length === 0) throw new TypeError('connect: expected at least one URL')
  if (!urls.every((url) => typeof url === 'string' || url instanceof URL)) {
    throw new TypeError('connect: expected a URL, an array of URLs, or a running server of this process')
  }
  const wires = given ?? defaultWires()
  return urls.map((url) => parseTarget(String(url), wires))
}

/** A way of which nothing is left to try when its handler has failed. */
function oneTry(first: Handler): Way {
  return {
    first,
    again(_, error) {
      throw error
    },
  }
}

/** A way that explains why no endpoint's wire can carry the operation. */
function refusal(why: string): Way {
  return oneTry(() => {
    throw new CallError('unimplemented', why, { processed: 'no', origin: 'downstream' })
  })
}

function memberOf(operation: Operation, settings: Parameters<typeof unaryMethod>[1]): unknown {
  if (operation.kind === 'call') {
    return operation.output?.stream === true
      ? streamingMethod(operation, settings)
      : unaryMethod(operation, settings)
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
