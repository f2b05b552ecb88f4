/** For reading JSON that came from elsewhere: the shape that was expected, or an error with the path. */
import { ContractError } from './contract-error.ts'

export function list<T>(content: readonly T[], path: string): readonly T[] {
  if (Array.isArray(content)) return content
  throw wrong(path, 'must be a list')
}

export function object(content: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof content === 'object' && content !== null && !Array.isArray(content)) {
    return content as Readonly<Record<string, unknown>>
  }

  throw wrong(path, `must be an object, is ${JSON.stringify(content) ?? typeof content}`)
}

export function wrong(path: string, message: string): ContractError {
  return new ContractError('contract_description', `contract description: ${path}: ${message}`)
}
