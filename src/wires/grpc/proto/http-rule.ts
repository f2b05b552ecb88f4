/** `google.api.http` of a method, in both of the forms in which options are written. */
import type { OptionNode, OptionValue } from './ast.ts'
import type { HttpRule } from './descriptor.ts'

const extension = '(google.api.http)'
const verbs: readonly string[] = ['get', 'put', 'post', 'delete', 'patch']

/** The rule, if there is one; the parts that are no rule are left out. */
export function httpRuleOf(options: readonly OptionNode[]): HttpRule | undefined {
  const fields: (readonly [string, OptionValue])[] = []

  for (const { name, value } of options) {
    const own = name.replace('(.google', '(google')
    if (own === extension && value.kind === 'message')
      fields.push(...value.fields.map((field) => [field.name, field.value] as const))
    if (own.startsWith(`${extension}.`)) fields.push([own.slice(extension.length + 1), value])
  }

  const textOf = (name: string): string | undefined => {
    const found = fields.findLast(([key]) => key === name)?.[1]
    return found?.kind === 'text' ? found.text : undefined
  }
  const verb = verbs.find((one) => textOf(one) !== undefined)
  const custom = fields.find(([name]) => name === 'custom')?.[1]
  const pattern =
    verb === undefined ? customOf(custom) : { method: verb.toUpperCase(), path: textOf(verb) ?? '' }
  if (pattern === undefined) return undefined

  const body = textOf('body')
  const responseBody = textOf('response_body')
  const more = fields
    .filter(([name]) => name === 'additional_bindings')
    .reduce((count, [, value]) => count + (value.kind === 'list' ? value.values.length : 1), 0)

  return {
    ...pattern,
    ...(body === undefined || body === '' ? {} : { body }),
    ...(responseBody === undefined || responseBody === '' ? {} : { responseBody }),
    more,
  }
}

function customOf(value: OptionValue | undefined): { method: string; path: string } | undefined {
  if (value?.kind !== 'message') return undefined
  const textOf = (name: string): string => {
    const found = value.fields.find((field) => field.name === name)?.value
    return found?.kind === 'text' ? found.text : ''
  }
  return { method: textOf('kind'), path: textOf('path') }
}
