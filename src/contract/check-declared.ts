/** What `call`, `event`, `task` and `collection` are given, checked for whoever writes JavaScript. */
import { ContractError } from './contract-error.ts'
import { isSchema, valueInWords } from './value-in-words.ts'

/**
 * Throws at once for what is no object of settings, so that the stack leads to the line. What is missing in one is said by
 * `contract()`, which knows the operation's name.
 */
export function checkDeclared(declared: unknown, example: string): void {
  const fits =
    typeof declared === 'object' && declared !== null && !Array.isArray(declared) && !isSchema(declared)
  if (fits) return

  const kind = example.slice(0, example.indexOf('('))
  throw new ContractError(
    'contract_option',
    `${kind}() takes an object, got ${declared === undefined ? 'nothing' : valueInWords(declared)}; write ${example}`,
  )
}
