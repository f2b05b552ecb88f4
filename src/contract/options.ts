/** What all declarations can say, checked for whoever writes JavaScript. */
import { ContractError } from './contract-error.ts'
import { nearest } from './nearest.ts'
import { isSchema, valueInWords } from './value-in-words.ts'

/** Throws for an option that does not exist: a misspelt one would be ignored for years. */
export function checkOptions(where: string, options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options) || isSchema(options)) {
    throw new ContractError(
      'contract_option',
      `${where}: expected { ${known.join(', ')} }, got ${valueInWords(options)}`,
    )
  }

  const wrong = Object.keys(options).find((key) => !known.includes(key))
  if (wrong === undefined) return
  const near = nearest(wrong, known)

  throw new ContractError(
    'contract_option',
    `${where}: '${wrong}' is no option; ${near === undefined ? `there are ${known.join(', ')}` : `did you mean '${near}'?`}`,
  )
}

/** Throws for what is there and no text. */
export function checkText(where: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'string') throw unexpected(where, 'a text', value)
}

function unexpected(where: string, expected: string, value: unknown): ContractError {
  return new ContractError('contract_option', `${where}: expected ${expected}, got ${valueInWords(value)}`)
}

/** RFC 6749, 3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E ) */
const scopeGrammar = /^[\x21\x23-\x5b\x5d-\x7e]+$/

interface CommonSettings {
  readonly scopes?: readonly string[]
  readonly doc?: string
  readonly deprecated?: boolean
}

/** The part of a resolved operation that every kind has. */
export function commonOf(
  id: string,
  { scopes = [], doc, deprecated }: CommonSettings,
): { readonly scopes: readonly string[]; readonly doc?: string; readonly deprecated?: true } {
  checkText(`${id}: doc`, doc)
  if (!Array.isArray(scopes)) throw unexpected(`${id}: scopes`, "a list such as ['orders:write']", scopes)
  if (deprecated !== undefined && typeof deprecated !== 'boolean') {
    throw unexpected(`${id}: deprecated`, 'true or false', deprecated)
  }

  const wrong = scopes.find((scope) => typeof scope !== 'string' || !scopeGrammar.test(scope))

  if (wrong !== undefined) {
    throw new ContractError(
      'contract_option',
      `${id}: scopes: ${JSON.stringify(wrong)}: a scope is printable ASCII without spaces, quotes and backslashes, such as 'orders:write'`,
    )
  }

  return {
    scopes: [...scopes],
    ...(doc === undefined ? {} : { doc }),
    ...(deprecated === true ? { deprecated } : {}),
  }
}
