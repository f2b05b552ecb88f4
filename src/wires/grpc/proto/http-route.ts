/**
 * From `google.api.http` to a route, and why not where there is none.
 *
 *   template = "/" segment { "/" segment } [ ":" literal ]
 *   segment  = "*" | "**" | literal | "{" fieldPath [ "=" segment { "/" segment } ] "}"
 *   fieldPath = ident { "." ident }
 *
 * A route has the literals, `{field}` and `{field=*}`; a variable that spans several segments, or is a field of a field,
 * has no form in it.
 */
import type { FieldDescriptor, HttpRule, MessageDescriptor } from './descriptor.ts'

export interface HttpRoute {
  /** `GET /v1/orders/{id}` with the names of .proto. */
  readonly method: string
  readonly path: string
  /** Fields in the path, by their names in .proto. */
  readonly parameters: readonly string[]
  /** The one field that is the whole body. */
  readonly body: string | undefined
}

const methods: ReadonlySet<string> = new Set(['GET', 'PUT', 'POST', 'DELETE', 'PATCH'])
const bodiless: ReadonlySet<string> = new Set(['GET', 'DELETE'])

/** The route of a rule for an input; a sentence when there is none. `isListable`: fits into a query string. */
export function routeOf(
  rule: HttpRule,
  input: MessageDescriptor | undefined,
  streamed: boolean,
  isListable: (field: FieldDescriptor) => boolean,
): HttpRoute | string {
  if (!methods.has(rule.method)) return `the HTTP method ${rule.method} is none that a route has`
  if (rule.responseBody !== undefined) return 'response_body answers with a part of the output'

  const path = pathOf(rule.path)
  if (path === undefined) return `${rule.path} has a variable of several segments or of a nested field`
  if (streamed) {
    const isBody = rule.method === 'POST' && rule.body === '*' && path.parameters.length === 0
    return isBody
      ? { method: rule.method, ...path, body: undefined }
      : 'a streamed input has no route other than POST with the whole of it as the body'
  }

  const fields = input?.fields ?? []
  for (const name of path.parameters) {
    const field = fields.find((one) => one.name === name)
    const scalar = field?.shape === 'single' && field.type.kind !== 'message' && field.oneof === undefined
    if (field === undefined || !scalar || field.presence === 'explicit')
      return `{${name}} is no field that is always there`
  }

  const left = fields.filter(({ name }) => !path.parameters.includes(name))
  if (bodiless.has(rule.method)) {
    if (rule.body !== undefined) return `${rule.method} with a body`
    const nested = left.find((field) => !isListable(field))
    if (nested !== undefined) return `the message ${nested.name} would be in the query string`
    return { method: rule.method, ...path, body: undefined }
  }

  if (rule.body === '*') return { method: rule.method, ...path, body: undefined }
  if (rule.body === undefined) {
    if (left.length > 0) return `${rule.method} without a body, and fields beside the path`
    return { method: rule.method, ...path, body: undefined }
  }

  const body = left.find(({ name }) => name === rule.body)
  if (body === undefined) return `the body ${rule.body} is no field of the input`
  if (left.length > 1) return `the body is one field, and others are in the query string`
  return { method: rule.method, ...path, body: rule.body }
}

const literal = /^(?:[A-Za-z0-9._~!$&'()+,;=@-]|%[0-9A-Fa-f]{2})+$/

function pathOf(template: string): { path: string; parameters: string[] } | undefined {
  if (!/^\/./.test(template)) return undefined
  const parameters: string[] = []
  const segments: string[] = []

  // Slashes within a variable mean that it spans segments.
  for (const text of template.slice(1).split('/')) {
    const variable = /^\{(\w+)(?:=\*)?\}(?::([A-Za-z][\w-]*))?$/.exec(text)
    if (variable !== null) {
      parameters.push(variable[1] as string)
      segments.push(`{${variable[1]}}${variable[2] === undefined ? '' : `:${variable[2]}`}`)
    } else if (literal.test(text.replace(':', ''))) {
      segments.push(text)
    } else {
      return undefined
    }
  }
  return { path: `/${segments.join('/')}`, parameters }
}
