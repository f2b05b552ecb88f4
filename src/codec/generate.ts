/**
 * Code generation for the compiled codecs: a probe whether it is allowed, and a small assembler of one function.
 *
 * Names of types and fields may come from a foreign document. They enter generated code only through `literal` and
 * `property`, which quote them, and through `constant`, which keeps them out altogether.
 */

let allowed: boolean | undefined

/** Whether this process may generate code: not under `--disallow-code-generation-from-strings`. Probed once. */
export function canGenerate(): boolean {
  allowed ??= probe()
  return allowed
}

function probe(): boolean {
  try {
    return new Function('return true')() === true
  } catch {
    return false
  }
}

/** Source text in the making, and the values it refers to. */
export interface Program {
  /** An identifier that nobody else has: `name('field')` is `field7`. The hint must be an identifier itself. */
  name(hint: string): string
  /** An identifier that stands for the value in the generated code. The same value has the same one. */
  constant(value: unknown, hint?: string): string
  /** Runs `source`, the body of a function that returns what is wanted. */
  build<Result>(source: string): Result
}

/** An empty program. */
export function program(): Program {
  const constants = new Map<unknown, string>()
  let names = 0

  function name(hint: string): string {
    names += 1
    return `${hint}${names}`
  }

  return {
    name,

    constant(value, hint = 'constant') {
      const known = constants.get(value)
      if (known !== undefined) return known

      const fresh = name(hint)
      constants.set(value, fresh)
      return fresh
    },

    build(source) {
      const make = new Function(...constants.values(), `'use strict'\n${source}`)
      return make(...constants.keys())
    },
  }
}

/** A constant as source text. */
export function literal(value: string | number | bigint | boolean | null | undefined): string {
  if (typeof value === 'bigint') return `${value}n`
  if (Object.is(value, -0)) return '-0'
  if (typeof value === 'string') return JSON.stringify(value)
  return String(value)
}

/** Access to a property by its name, as source text: `value["order-id"]`. */
export function property(object: string, name: string): string {
  return `${object}[${JSON.stringify(name)}]`
}
