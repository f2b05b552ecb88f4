/** What `implement` is given, checked for whoever writes JavaScript, and for what types cannot say. */
import { type OptionRules, anObject, checkOptions, someFilters } from '../call/options.ts'
import { nearest } from '../contract/nearest.ts'
import type { ContractInfo } from '../contract/operation.ts'
import { valueInWords } from '../contract/value-in-words.ts'
import type { ImplementOptions } from './implement.ts'

const optionRules: OptionRules<ImplementOptions<unknown>> = { filters: someFilters, operations: anObject }

/** Throws a TypeError that names the operation, and what it must be. */
export function checkImplementing(
  info: ContractInfo,
  handlers: unknown,
  options: ImplementOptions<unknown>,
): void {
  const where = `implement(${info.name})`

  if ((typeof handlers !== 'object' && typeof handlers !== 'function') || handlers === null) {
    throw new TypeError(
      `${where}: the second argument is the handlers, ${handlerExample(info)}; got ${valueInWords(handlers)}`,
    )
  }

  checkOptions(where, options, optionRules)
  refuseStrangers(where, info, handlers as Record<string, unknown>)
  refuseUnknownFilters(where, info, (options.operations ?? {}) as Record<string, unknown>)

  for (const { kind, name } of info.operations.values()) {
    const handler = (handlers as Record<string, unknown>)[name]
    if (kind === 'call' && handler === undefined) {
      throw new TypeError(`${where}: there is no handler for the call '${name}'`)
    }
    if ((kind === 'call' || (kind === 'task' && handler !== undefined)) && typeof handler !== 'function') {
      throw new TypeError(
        `${where}: the handler of '${name}' must be a function, got ${kindInWords(handler)}`,
      )
    }
  }
}

/** An object literal with a handler that no operation has is a typing mistake; a class may well have other methods. */
function refuseStrangers(where: string, info: ContractInfo, functions: Record<string, unknown>): void {
  if (Object.getPrototypeOf(functions) !== Object.prototype) return
  for (const [name, value] of Object.entries(functions)) {
    if (typeof value !== 'function') continue
    const operation = info.operations.get(name)
    if (operation === undefined) {
      throw new TypeError(`${where}: '${name}' is no operation; ${nearestOf(name, info)}`)
    }
    if (operation.kind === 'event' || operation.kind === 'collection') {
      throw new TypeError(`${where}: '${name}' is ${article(operation.kind)}, which has no handler`)
    }
  }
}

function refuseUnknownFilters(
  where: string,
  info: ContractInfo,
  perOperation: Record<string, unknown>,
): void {
  for (const [name, settings] of Object.entries(perOperation)) {
    if (info.operations.get(name)?.kind === 'call') {
      checkOptions(`${where}: operations: ${name}`, settings as object, { filters: someFilters })
      continue
    }
    throw new TypeError(`${where}: filters for '${name}', which is no call; ${nearestOf(name, info)}`)
  }
}

function article(kind: string): string {
  return kind === 'event' ? 'an event' : `a ${kind}`
}

function nearestOf(name: string, info: ContractInfo): string {
  const known = [...info.operations.keys()]
  const near = nearest(name, known)
  return near === undefined ? `there are ${known.join(', ')}` : `did you mean '${near}'?`
}

function handlerExample(info: ContractInfo): string {
  const first = [...info.operations.values()].find(({ kind }) => kind === 'call')
  return `such as { ${first?.name ?? 'place'}(input, ctx) { … } }`
}

/** `number 5`: a value alone would not say why it is no function. */
function kindInWords(value: unknown): string {
  const isPrimitive = value !== null && typeof value !== 'object'
  return isPrimitive ? `${typeof value} ${valueInWords(value)}` : valueInWords(value)
}
