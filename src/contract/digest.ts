/** The digest of a contract: a hash of all that two peers must agree on. */
import { createHash } from 'node:crypto'
import type { Type } from '../schema/type.ts'
import { agreedChecks } from './agreed-checks.ts'
import { type ContractDescription, describe } from './describe.ts'
import type { ContractInfo } from './operation.ts'

/** What is for readers, or for one side alone: two peers may differ in it. */
const notAgreed: ReadonlySet<string> = new Set([
  'doc',
  'deprecated',
  'examples',
  'sensitive',
  'scopes',
  'timeout',
  'reserved',
  'locked',
])

/** Lists whose order says nothing: their elements have names or numbers. */
const unordered: ReadonlySet<string> = new Set(['fields', 'values', 'variants', 'checks', 'query', 'keys'])

/** 16 hexadecimal digits. Neither docs nor the order of declaration matter once numbers are locked. */
export function digestOf(info: ContractInfo): string {
  return createHash('sha256')
    .update(canonicalJson(describe(info)))
    .digest('hex')
    .slice(0, 16)
}

/** One text for all descriptions that mean the same to two peers: keys sorted, unordered lists sorted. */
export function canonicalJson(description: ContractDescription): string {
  const { types, operations, ...rest } = description

  // Names of types and operations may well be 'doc': only what lies below them is stripped.
  const parts = [
    canonical(rest),
    ...Object.keys(types)
      .toSorted()
      .map((name) => `${name}=${canonical(types[name])}`),
    ...Object.keys(operations)
      .toSorted()
      .map((name) => `${name}/${canonical(operations[name])}`),
  ]

  return parts.join('\n')
}

function canonical(value: unknown, key = ''): string {
  if (Array.isArray(value)) {
    const elements = value.map((element) => canonical(element))
    return `[${(unordered.has(key) ? elements.toSorted() : elements).join()}]`
  }

  if (typeof value === 'object' && value !== null) {
    const named = key === 'faults' || key === 'headers' || key === 'default'
    const entries = Object.entries(withAgreedChecks(value))
      .filter(([name, part]) => part !== undefined && (named || !notAgreed.has(name)))
      .map(([name, part]): [string, string] => [name, canonical(part, named ? '' : name)])
      .toSorted(([one], [other]) => (one < other ? -1 : 1))

    return `{${entries.map(([name, part]) => `${JSON.stringify(name)}:${part}`).join()}}`
  }

  return JSON.stringify(value)
}

function withAgreedChecks(value: object): object {
  if (!('kind' in value && value.kind === 'string' && 'checks' in value)) return value
  const checks = agreedChecks(value as Type)
  return { ...value, checks: checks.length === 0 ? undefined : checks }
}
