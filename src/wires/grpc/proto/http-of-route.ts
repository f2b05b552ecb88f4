/** From a route to `google.api.http`; nothing where the route says what a rule cannot. */
import type { CallOperation } from '../../../contract/operation.ts'
import { fieldsOf } from '../../../contract/rest-fields.ts'
import { protoName } from '../../../schema/names.ts'
import type { HttpRule } from './descriptor.ts'

const bodiless: ReadonlySet<string> = new Set(['GET', 'DELETE', 'HEAD', 'OPTIONS'])

/**
 * The rule of a call that declares its route. Headers have no form in a rule. Neither has a query string beside a body of
 * several fields: a rule's body is one field, or all that is not in the path.
 */
export function httpRuleOfRoute({ rest, input }: CallOperation): HttpRule | undefined {
  if (rest.implied || Object.keys(rest.headers).length > 0) return undefined

  const fields = fieldsOf(input) ?? []
  const isWhole = input !== undefined && fieldsOf(input) === undefined
  const nameOf = (property: string): string => {
    const field = fields.find(({ name }) => name === property)
    return field === undefined ? property : protoName(field)
  }
  const path = rest.path.replace(/\{([^{}]+)\}/g, (_, property: string) => `{${nameOf(property)}}`)
  const rule = { method: rest.method, path, more: 0 }

  if (rest.body !== undefined) return { ...rule, body: nameOf(rest.body) }
  if (bodiless.has(rest.method)) return rule

  const left = fields.filter(({ name }) => !rest.parameters.includes(name) && !rest.query.includes(name))
  if (rest.query.length === 0) return left.length > 0 || isWhole ? { ...rule, body: '*' } : rule
  return left.length === 0 ? rule : undefined
}
