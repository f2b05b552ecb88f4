/** HOT PATH. The server half: routes, and what of a request is decided before there is a call. */
import type { CallError } from '../../call/error.ts'
import type { CallOperation } from '../../contract/operation.ts'
import { negotiateMediaType } from '../../http/accept.ts'
import { contentCodings, parseContentEncoding } from '../../http/content-coding.ts'
import type { HttpExchange, HttpRequest } from '../../http/exchange.ts'
import { HttpHeaders } from '../../http/headers.ts'
import { isJsonType, parseMediaType } from '../../http/media-type.ts'
import type { Host, HttpMount, HttpServer } from '../wire.ts'
import { type RequestHeaders, readRequestHeaders } from './call-metadata.ts'
import { Endpoint, jsonType } from './endpoint.ts'
import { writeDescription } from './description.ts'
import { docsHeaders, docsHtml } from './docs-page.ts'
import { ndjsonTypes } from './ndjson.ts'
import { type OpenApiOptions, exportOpenApi } from './openapi.ts'
import { writeProblem } from './problem.ts'
import {
  closing,
  deadlineOver,
  malformedBinary,
  malformedPath,
  malformedTimeout,
  notAcceptable,
  otherMethods,
  unknownCoding,
  unknownPath,
  wrongContentType,
} from './refusals.ts'
import { type Router, type RouterEntry, compileRouter } from './router.ts'
import { ServerCall } from './server-call.ts'
import { streamFormats, streamTypes } from './stream-format.ts'
import { supports } from './supports.ts'

export interface RestServerOptions {
  /** Where the OpenAPI document is; `false` for nowhere. */
  readonly openapi: string | false
  /** Where the page for people is; `false` for nowhere. */
  readonly docs: string | false
  /** Where the contracts' descriptions are, for callers that have no contract; `false` for nowhere. */
  readonly description: string | false
  /** What the documents say of the service. */
  readonly document: OpenApiOptions
}

/** What is at a route: an operation, or a document that is written when it is first asked for. */
type Target = Endpoint | Document

class Document {
  readonly headers: HttpHeaders
  readonly #write: () => string
  #text: string | undefined

  constructor(headers: HttpHeaders, write: () => string) {
    this.headers = headers
    this.#write = write
  }

  get text(): string {
    return (this.#text ??= this.#write())
  }
}

/** The server half of the wire. */
export function restServer(options: RestServerOptions): HttpServer {
  return { over: 'http', mount: (host) => new RestMount(host, compileRouter(entriesOf(host, options))) }
}

function entriesOf(host: Host, options: RestServerOptions): RouterEntry<Target>[] {
  const entries: RouterEntry<Target>[] = []
  const taken = new Map<string, CallOperation>()

  for (const operation of host.operations.values()) {
    const reason = supports(operation)
    if (reason !== true) {
      host.log.warn({ operation: operation.id }, `not served over REST: ${reason}`)
      continue
    }

    const { method, path } = operation.rest
    const key = `${method} ${path.replace(/\{[^}]*\}/g, '{}')}`
    const other = taken.get(key)
    if (other !== undefined) {
      throw new TypeError(
        `${operation.id} and ${other.id} are both at ${method} ${path}: give one of the contracts a prefix, ` +
          `contract(name, operations, { rest: { prefix: '/v2' } })`,
      )
    }
    taken.set(key, operation)
    entries.push({ method, path, target: new Endpoint(operation, host.limits) })
  }

  return [...documentsOf(host, options).filter(({ path }) => !taken.has(`GET ${path}`)), ...entries]
}

function documentsOf(
  host: Host,
  { openapi, docs, description, document }: RestServerOptions,
): RouterEntry<Target>[] {
  const entries: RouterEntry<Target>[] = []
  const describe = () => exportOpenApi(host.contracts, document)

  if (openapi !== false) {
    const headers = new HttpHeaders(['content-type', jsonType])
    const target = new Document(headers, () => JSON.stringify(describe()))
    entries.push({ method: 'GET', path: openapi, target })
  }

  if (description !== false) {
    const headers = new HttpHeaders(['content-type', jsonType])
    const target = new Document(headers, () => writeDescription(host.contracts))
    entries.push({ method: 'GET', path: description, target })
  }

  if (docs !== false) {
    const link = openapi === false ? undefined : openapi
    const target = new Document(new HttpHeaders(docsHeaders()), () => docsHtml(describe(), link))
    entries.push({ method: 'GET', path: docs, target })
  }

  return entries
}

class RestMount implements HttpMount {
  readonly #host: Host
  readonly #router: Router<Target>

  constructor(host: Host, router: Router<Target>) {
    this.#host = host
    this.#router = router
  }

  matches({ method, target }: HttpRequest): boolean {
    const mark = target.indexOf('?')
    return this.#router.find(method, mark < 0 ? target : target.slice(0, mark)).kind === 'found'
  }

  serve(exchange: HttpExchange, last: boolean): boolean {
    const { method, target } = exchange.request
    const mark = target.indexOf('?')
    const path = mark < 0 ? target : target.slice(0, mark)
    const match = this.#router.find(method, path)

    if (match.kind === 'found') {
      const query = mark < 0 ? '' : target.slice(mark + 1)
      if (match.target instanceof Endpoint) this.#call(exchange, match.target, match.parameters, query)
      else exchange.respond({ status: 200, headers: match.target.headers }, match.target.text)
      return true
    }

    if (!last) return false
    if (match.kind === 'unknown') refuse(exchange, unknownPath(method, path))
    else if (match.kind === 'malformed') refuse(exchange, malformedPath(match.segment))
    else if (method === 'OPTIONS') {
      exchange.respond({ status: 204, headers: new HttpHeaders(['allow', match.allow]) }, undefined)
    } else refuse(exchange, otherMethods(method, path, match.allow), ['allow', match.allow])
    return true
  }

  #call(exchange: HttpExchange, endpoint: Endpoint, path: readonly string[], query: string): void {
    const { headers } = exchange.request
    const read = readRequestHeaders(headers, endpoint.takenHeaders)

    const { timeout, malformed } = read
    if (this.#host.draining) return refuse(exchange, closing())
    if (timeout !== undefined && Number.isNaN(timeout)) return refuse(exchange, malformedTimeout())
    if (timeout === 0) return refuse(exchange, deadlineOver())
    if (malformed !== undefined) return refuse(exchange, malformedBinary(malformed))
    if (!isAcceptedBody(read, endpoint)) {
      const given = read.contentType as string
      return refuse(exchange, wrongContentType(given, endpoint.streamsIn), [
        'accept',
        endpoint.streamsIn ? ndjsonTypes.join(', ') : jsonType,
      ])
    }

    const codings = parseContentEncoding(read.contentEncoding)
    if (codings === undefined) {
      const accepted = ['accept-encoding', contentCodings.join(', ')]
      return refuse(exchange, unknownCoding(read.contentEncoding as string), accepted)
    }

    let format
    if (endpoint.streamsOut) {
      const type = negotiateMediaType(read.accept, streamTypes)
      if (type === undefined) return refuse(exchange, notAcceptable(true))
      format = streamFormats[type]
    } else if (!acceptsJson(read.accept, endpoint)) {
      return refuse(exchange, notAcceptable(false))
    }

    const negotiated = { headers: read, codings, format }
    new ServerCall(this.#host, endpoint, exchange, { path, query, headers }, negotiated).run()
  }
}

function acceptsJson(accept: string | undefined, endpoint: Endpoint): boolean {
  if (accept === undefined || accept === jsonType || accept === '*/*') return true
  return endpoint.operation.output === undefined || negotiateMediaType(accept, [jsonType]) !== undefined
}

/** Whether a body is what it must be. One without content type is refused when it turns out not to be empty. */
function isAcceptedBody({ contentType }: RequestHeaders, endpoint: Endpoint): boolean {
  if (contentType === undefined || contentType === jsonType)
    return contentType === undefined || !endpoint.streamsIn
  if (!endpoint.streamsIn && !endpoint.input.hasBody) return true

  const type = parseMediaType(contentType)
  if (type === undefined) return false
  const charset = type.parameters.get('charset')?.toLowerCase()
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8') return false
  return endpoint.streamsIn ? ndjsonTypes.some((known) => known === type.essence) : isJsonType(type.essence)
}

/** Answers without a call. */
function refuse(exchange: HttpExchange, error: CallError, extra: readonly string[] = []): void {
  const { status, headers, body } = writeProblem(error, undefined, undefined)
  headers.list.push(...extra)
  exchange.respond({ status, headers }, body)
}
