/**
 * HOT PATH. Which operation a path and a method mean. Guarded by `bench/scenarios/rest-server`.
 *
 * Built once for all routes of a server (their grammar: contract/route.ts). A path without fields is one look-up of the
 * text as it came. Others walk a tree of segments, most specific first: a literal, a field with a verb, a bare field.
 *
 *     /orders          literal
 *     /orders:watch    literal with a colon
 *     /orders/{id}     a field is one whole, non-empty segment
 *     /orders/{id}:cancel   the verb is written with a plain colon; %3A is data
 *
 * Segments are percent-decoded one by one (RFC 3986, 2.1), so `%2F` is data and never a border. `/orders/` is another
 * path than `/orders`, and nobody's.
 */
import { parsePath, type Segment } from '../../contract/route.ts'

/** One route: what is behind it, and where it is. */
export interface RouterEntry<Target> {
  readonly method: string
  /** `/orders/{id}:cancel` */
  readonly path: string
  readonly target: Target
}

/** What a request's path and method mean. */
export type Match<Target> =
  | { readonly kind: 'found'; readonly target: Target; readonly parameters: readonly string[] }
  /** The path is known, with other methods: `GET, HEAD, OPTIONS`. */
  | { readonly kind: 'other_methods'; readonly allow: string }
  | { readonly kind: 'unknown' }
  /** A segment is not valid percent-encoded UTF-8. */
  | { readonly kind: 'malformed'; readonly segment: string }

export interface Router<Target> {
  /** `path` without its query, as it came. `HEAD` is what `GET` is, unless declared. */
  find(method: string, path: string): Match<Target>
}

/** All routes with one path template. */
interface Place<Target> {
  readonly methods: Map<string, Match<Target> & { kind: 'found' }>
}

interface Node<Target> {
  readonly literals: Map<string, Node<Target>>
  readonly verbs: { readonly verb: string; readonly node: Node<Target> }[]
  field: Node<Target> | undefined
  place: Place<Target> | undefined
}

const none: readonly string[] = []
const unknown = { kind: 'unknown' } as const

/** Compiles routes. Two of one method and path must not be among them. */
export function compileRouter<Target>(entries: readonly RouterEntry<Target>[]): Router<Target> {
  const root = emptyNode<Target>()
  const fixed = new Map<string, Place<Target>>()
  let templates = 0

  for (const { method, path, target } of entries) {
    const segments = parsePath(path, path)
    const place = placeOf(root, segments)
    place.methods.set(method, { kind: 'found', target, parameters: none })

    if (segments.every((segment) => 'literal' in segment)) fixed.set(path, place)
    else templates++
  }

  return {
    find(method, path) {
      const direct = fixed.get(path)
      if (direct !== undefined) {
        const found = methodOf(direct, method)
        if (found !== undefined) return found
        // A path with fields may match as well, and have the method.
        if (templates === 0) return { kind: 'other_methods', allow: allowOf([direct]) }
      }
      return walk(root, method, path)
    },
  }
}

function emptyNode<Target>(): Node<Target> {
  return { literals: new Map(), verbs: [], field: undefined, place: undefined }
}

function placeOf<Target>(root: Node<Target>, segments: readonly Segment[]): Place<Target> {
  let node = root
  for (const segment of segments) node = childOf(node, segment)
  return (node.place ??= { methods: new Map() })
}

function childOf<Target>(node: Node<Target>, segment: Segment): Node<Target> {
  if ('literal' in segment) {
    const text = decodeURIComponent(segment.literal)
    let child = node.literals.get(text)
    if (child === undefined) node.literals.set(text, (child = emptyNode()))
    return child
  }

  if (segment.verb === '') return (node.field ??= emptyNode())

  let known = node.verbs.find(({ verb }) => verb === segment.verb)
  if (known === undefined) node.verbs.push((known = { verb: segment.verb, node: emptyNode() }))
  return known.node
}

function methodOf<Target>(
  place: Place<Target>,
  method: string,
): (Match<Target> & { kind: 'found' }) | undefined {
  return place.methods.get(method) ?? (method === 'HEAD' ? place.methods.get('GET') : undefined)
}

function walk<Target>(root: Node<Target>, method: string, path: string): Match<Target> {
  const raw = path === '/' ? [] : path.slice(1).split('/')
  const decoded: string[] = []
  for (const segment of raw) {
    const text = segment.includes('%') ? decode(segment) : segment
    if (text === undefined) return { kind: 'malformed', segment }
    decoded.push(text)
  }

  const places: Place<Target>[] = []
  const parameters: string[] = []

  function visit(node: Node<Target>, index: number): (Match<Target> & { kind: 'found' }) | undefined {
    if (index === raw.length) {
      if (node.place === undefined) return undefined
      places.push(node.place)
      return methodOf(node.place, method)
    }

    const segment = raw[index] as string
    if (segment === '') return undefined

    const literal = node.literals.get(decoded[index] as string)
    const found = literal && visit(literal, index + 1)
    if (found !== undefined) return found

    for (const { verb, node: next } of node.verbs) {
      if (segment.length <= verb.length || !segment.endsWith(verb)) continue
      const value = decode(segment.slice(0, -verb.length)) as string
      const match = visitField(next, index, value)
      if (match !== undefined) return match
    }

    return node.field && visitField(node.field, index, decoded[index] as string)
  }

  function visitField(
    node: Node<Target>,
    index: number,
    value: string,
  ): (Match<Target> & { kind: 'found' }) | undefined {
    parameters.push(value)
    const found = visit(node, index + 1)
    if (found === undefined) parameters.pop()
    return found
  }

  const found = visit(root, 0)
  if (found !== undefined) {
    return parameters.length === 0 ? found : { kind: 'found', target: found.target, parameters }
  }
  return places.length === 0 ? unknown : { kind: 'other_methods', allow: allowOf(places) }
}

/** The text of a percent-encoded segment; `undefined` when it is malformed or no UTF-8. */
function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}

/** RFC 9110, 10.2.1. HEAD comes with GET, and OPTIONS is always answered. */
function allowOf<Target>(places: readonly Place<Target>[]): string {
  const methods = new Set(places.flatMap((place) => [...place.methods.keys()]))
  if (methods.has('GET')) methods.add('HEAD')
  methods.add('OPTIONS')
  return [...methods].sort().join(', ')
}
