/**
 * Routes: the template after `rest:`, and when two of them could both match one request.
 *
 *     route    = method SP path                          POST /orders
 *     method   = "GET" / "POST" / "PUT" / "PATCH" / "DELETE" / "HEAD" / "OPTIONS"
 *     path     = "/" [ segment *( "/" segment ) ]
 *     segment  = literal / "{" field "}" [ ":" verb ]    orders   {id}   {id}:cancel
 *     literal  = 1*( unreserved / sub-delims / ":" / "@" / pct-encoded )     RFC 3986 section 3.3, so /orders:watch too
 *     verb     = alpha *( alpha / digit / "-" / "_" )
 *     field    = a key of the input
 *
 * A literal is more specific than a field with a verb, and that more than a bare field. Of two routes that match one
 * path the one that is more specific somewhere and less specific nowhere wins; when neither is, they are ambiguous.
 */
import { ContractError } from './contract-error.ts'
import type { HttpMethod } from './operation.ts'

export interface Route {
  readonly method: HttpMethod
  readonly path: string
  readonly segments: readonly Segment[]
}

export type Segment =
  | { readonly literal: string }
  | { readonly field: string; /** With its colon; empty when there is none. */ readonly verb: string }

export const httpMethods: readonly HttpMethod[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']

const routeGrammar = /^([A-Za-z]+) (.*)$/
const literalGrammar = /^(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+$/
const fieldGrammar = /^\{([^{}]+)\}(:[A-Za-z][A-Za-z0-9_-]*)?$/

/** Reads `POST /orders/{id}:cancel`. Throws ContractError, saying where it goes wrong. */
export function parseRoute(where: string, text: string): Route {
  const parts = typeof text === 'string' ? routeGrammar.exec(text) : null
  const [, method = '', path = ''] = parts ?? []

  if (!httpMethods.includes(method as HttpMethod)) {
    const better = httpMethods.includes(method.toUpperCase() as HttpMethod)
      ? `: '${method.toUpperCase()} ${path}'`
      : ''

    throw new ContractError(
      'rest_route',
      `${where}: rest: ${JSON.stringify(text)} must be a method (${httpMethods.join(', ')}), one space and a path${better}`,
    )
  }

  return { method: method as HttpMethod, path, segments: parsePath(`${where}: rest: '${text}'`, path) }
}

/** Reads the path alone. */
export function parsePath(where: string, path: string): readonly Segment[] {
  if (!path.startsWith('/')) throw new ContractError('rest_route', `${where}: a path begins with '/'`)
  if (path === '/') return []

  const segments = path
    .slice(1)
    .split('/')
    .map((text) => parseSegment(where, text))
  const fields = segments.flatMap((segment) => ('field' in segment ? [segment.field] : []))
  const twice = fields.find((field, index) => fields.indexOf(field) !== index)

  if (twice !== undefined) throw new ContractError('rest_route', `${where}: {${twice}} is there twice`)

  return segments
}

function parseSegment(where: string, text: string): Segment {
  if (text === '')
    throw new ContractError('rest_route', `${where}: an empty segment; take the doubled or last '/' away`)
  if (text === '.' || text === '..') {
    throw new ContractError(
      'rest_route',
      `${where}: clients and proxies resolve '${text}' away; leave it out`,
    )
  }

  const [, field, verb = ''] = fieldGrammar.exec(text) ?? []
  if (field !== undefined) return { field, verb }
  if (literalGrammar.test(text)) return { literal: text }

  if (text.includes('{') || text.includes('}')) {
    throw new ContractError(
      'rest_route',
      `${where}: '${text}': a field stands alone in its segment, {id}, or with a verb, {id}:cancel`,
    )
  }

  throw new ContractError(
    'rest_route',
    `${where}: '${text}' has characters that a path cannot have; percent-encode them: '${encodeURIComponent(text)}'`,
  )
}

/** Whether one path can be matched by both segments, and which is more specific: < 0 the first, > 0 the second, 0 neither. */
function compareSegments(one: Segment, other: Segment): number | undefined {
  if ('literal' in one && 'literal' in other) return one.literal === other.literal ? 0 : undefined
  if ('literal' in one) return (other as { verb: string }).verb === '' || ends(one, other) ? -1 : undefined
  if ('literal' in other) return one.verb === '' || ends(other, one) ? 1 : undefined
  if (one.verb === other.verb) return 0
  if (one.verb === '') return 1
  return other.verb === '' ? -1 : undefined
}

function ends(literal: Segment, field: Segment): boolean {
  const text = (literal as { literal: string }).literal
  const { verb } = field as { verb: string }

  return text.length > verb.length && text.endsWith(verb)
}

/** Whether two routes exclude each other: the same requests, or some requests for which neither is more specific. */
export function conflict(one: Route, other: Route): 'duplicate' | 'ambiguous' | undefined {
  if (one.method !== other.method || one.segments.length !== other.segments.length) return undefined

  let oneWins = false
  let otherWins = false

  for (let index = 0; index < one.segments.length; index++) {
    const order = compareSegments(one.segments[index] as Segment, other.segments[index] as Segment)

    if (order === undefined) return undefined
    if (order < 0) oneWins = true
    if (order > 0) otherWins = true
  }

  if (oneWins && otherWins) return 'ambiguous'
  return oneWins || otherWins ? undefined : 'duplicate'
}
