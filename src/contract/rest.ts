/** From what is written after `rest:` to where each field of the input travels (grammar of routes: route.ts). */
import type { Field } from '../schema/type.ts'
import { ContractError } from './contract-error.ts'
import type { HttpMethod, Idempotency, Message, RestRoute } from './operation.ts'
import { checkOptions } from './options.ts'
import { checkHeader, checkListable, checkPathField, fieldsOf } from './rest-fields.ts'
import type { RestOptions } from './rest-types.ts'
import { parsePath, parseRoute } from './route.ts'

/** What of a call decides its route. */
export interface RoutedCall {
  /** `acme.orders.v1/place`, for errors. */
  readonly id: string
  readonly input: Message | undefined
  readonly output: Message | undefined
  readonly idempotency: Idempotency | undefined
}

const withoutBody: ReadonlySet<HttpMethod> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS'])

/** Throws unless a prefix such as `/api/v2` can stand before every route. */
export function checkPrefix(where: string, prefix: string): void {
  const segments = parsePath(`${where}: rest: prefix '${prefix}'`, prefix)

  if (prefix === '/' || segments.some((segment) => 'field' in segment)) {
    throw new ContractError(
      'rest_route',
      `${where}: rest: prefix '${prefix}' must be a path without fields, such as '/api/v2'`,
    )
  }
}

/** The route of a call that declares none: everything is in the body of a POST. */
export function impliedRoute(call: RoutedCall, prefix: string): RestRoute {
  return {
    method: 'POST',
    path: `${prefix}/${call.id}`,
    implied: true,
    status: call.output === undefined ? 204 : 200,
    location: undefined,
    headers: {},
    query: [],
    parameters: [],
    body: undefined,
  }
}

/** The route of a call that declares one. Throws ContractError when it does not fit the call's input and output. */
export function resolveRoute(call: RoutedCall, written: string | RestOptions, prefix: string): RestRoute {
  const options: RestOptions = typeof written === 'string' ? { route: written } : written
  checkShape(call.id, options)
  const route = parseRoute(call.id, options.route)
  const where = `${call.id}: rest: '${options.route}'`
  const input = fieldsOf(call.input)

  const used = new Map<string, string>()

  /** Notes that a field travels in one place, and that it can. */
  function place(name: string, there: string): Field {
    const field = input?.find((candidate) => candidate.name === name)

    if (field === undefined)
      throw new ContractError('rest_route', `${where}: ${there} '${name}' is ${notAField(call, input)}`)

    const before = used.get(name)
    if (before !== undefined) {
      throw new ContractError(
        'rest_route',
        `${where}: '${name}' travels as ${before} already; it cannot be ${there} as well`,
      )
    }

    used.set(name, there)
    return field
  }

  const types = call.input?.schema.types ?? {}

  const parameters = route.segments.flatMap((segment) => ('field' in segment ? [segment.field] : []))
  for (const name of parameters) checkPathField(where, place(name, 'the path parameter'), types, 'input')

  const headers: Record<string, string> = {}
  for (const [name, header] of Object.entries(options.headers ?? {})) {
    checkListable(where, place(name, 'the header field'), types, 'a header')
    headers[name] = checkHeader(where, name, header, Object.values(headers))
  }

  const query = [...(options.query ?? [])]
  for (const name of query) checkListable(where, place(name, 'the query field'), types, 'a query string')

  if (options.body !== undefined) {
    if (route.method === 'GET' || route.method === 'HEAD') {
      throw new ContractError(
        'rest_route',
        `${where}: ${route.method} has no body; use POST, PUT or PATCH, or leave body: out`,
      )
    }

    place(options.body, 'the body')
  }

  const bodiless = withoutBody.has(route.method) && options.body === undefined

  if (call.input !== undefined && bodiless) {
    if (call.input.stream) {
      throw new ContractError(
        'rest_route',
        `${where}: a streamed input is a body, which ${route.method} has not; use POST`,
      )
    }

    if (input === undefined) {
      throw new ContractError(
        'rest_route',
        `${where}: ${route.method} has no body, so the input must be an object whose fields go to path, query and headers; use POST, or declare an object`,
      )
    }
  }

  const left = input?.filter((field) => !used.has(field.name)) ?? []

  if (bodiless) {
    for (const field of left) {
      checkListable(where, field, types, 'a query string')
      query.push(field.name)
    }
  } else if (options.body !== undefined && left.length > 0) {
    throw new ContractError(
      'rest_route',
      `${where}: '${options.body}' is the whole body, so ${left.map(({ name }) => `'${name}'`).join(', ')} must go to path, query or headers`,
    )
  }

  if (route.method === 'GET' && (call.idempotency === 'keyed' || call.idempotency === 'idempotent')) {
    throw new ContractError(
      'rest_route',
      `${where}: GET is safe (RFC 9110, 9.2.1), but the operation is declared '${call.idempotency}'; use another method, or idempotency: 'safe'`,
    )
  }

  if (route.method === 'HEAD' && call.output !== undefined) {
    throw new ContractError(
      'rest_route',
      `${where}: an answer to HEAD has no body, so there can be no output; use GET, which answers HEAD too`,
    )
  }

  return {
    method: route.method,
    path: route.path === '/' && prefix !== '' ? prefix : `${prefix}${route.path}`,
    implied: false,
    status: resolveStatus(where, call, options.status),
    location: resolveLocation(where, call, options.location),
    headers,
    query,
    parameters,
    body: options.body,
  }
}

/** For whoever writes JavaScript, and for descriptions from elsewhere. */
function checkShape(id: string, options: RestOptions): void {
  checkOptions(`${id}: rest`, options, ['route', 'status', 'location', 'headers', 'query', 'body'])

  const { location, headers = {}, query = [], body } = options
  const isText = (value: unknown) => typeof value === 'string'
  const wrong =
    (location !== undefined && !isText(location) && "location must be a path such as '/orders/{id}'") ||
    ((typeof headers !== 'object' || headers === null || !Object.values(headers).every(isText)) &&
      "headers must be { field: 'Header-Name' }") ||
    ((!Array.isArray(query) || !query.every(isText)) && 'query must be a list of fields') ||
    (body !== undefined && !isText(body) && 'body must be the name of a field')

  if (wrong !== false) throw new ContractError('rest_route', `${id}: rest: ${wrong}`)
}

function resolveStatus(where: string, call: RoutedCall, status: number | undefined): number {
  if (status === undefined) return call.output === undefined ? 204 : 200

  if (!Number.isInteger(status) || status < 200 || status > 299) {
    throw new ContractError(
      'rest_route',
      `${where}: status ${status} is no success: write 200 to 299; a fault has http: for the others`,
    )
  }

  if ((status === 204 || status === 205) && call.output !== undefined) {
    throw new ContractError(
      'rest_route',
      `${where}: ${status} has no body, but the operation has an output; write 200 or 201`,
    )
  }

  return status
}

function resolveLocation(where: string, call: RoutedCall, template: string | undefined): string | undefined {
  if (template === undefined) return undefined

  const fields = call.output?.stream === true ? undefined : fieldsOf(call.output)
  const types = call.output?.schema.types ?? {}

  for (const segment of parsePath(`${where}: location '${template}'`, template)) {
    if ('literal' in segment) continue

    const field = fields?.find((candidate) => candidate.name === segment.field)

    if (field === undefined) {
      throw new ContractError(
        'rest_route',
        `${where}: location '${template}': {${segment.field}} is not a field of the output`,
      )
    }

    checkPathField(`${where}: location '${template}'`, field, types, 'output')
  }

  return template
}

function notAField(call: RoutedCall, input: readonly Field[] | undefined): string {
  if (call.input === undefined) return 'not a field of the input: there is no input'
  if (call.input.stream) return 'not a field: the input is a stream, and its elements travel in the body'
  if (input === undefined) return 'not a field of the input, which is no object'

  return `not a field of the input, which has ${input.map(({ name }) => `'${name}'`).join(', ') || 'none'}`
}
