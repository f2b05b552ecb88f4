/** What is wrong with a contract; stable, documented in docs/contracts.md. */
export type ContractErrorCode =
  /** The contract's name, or the name of its gRPC service. */
  | 'contract_name'
  /** An operation's name, or one of its names on the wires. */
  | 'operation_name'
  /** Two operations or messages that would be the same on some wire. */
  | 'name_conflict'
  /** `rest:` does not fit its own grammar, the input or the output. */
  | 'rest_route'
  /** Two routes that match the same requests. */
  | 'rest_conflict'
  /** A value that is no declaration, or an option that does not exist or has the wrong value. */
  | 'contract_option'
  /** The lock cannot be read, or does not fit the contract. */
  | 'contract_lock'
  /** A description from elsewhere that is not one, or contradicts itself. */
  | 'contract_description'

/**
 * A contract that cannot be: a name, a route, an option or the lock is wrong. Thrown while the contract is declared, so
 * that it never reaches a server. The message names the contract, the place in it, and what to do.
 *
 * @example
 * ```ts
 * import { ContractError, call, contract } from 'trunkline'
 * import assert from 'node:assert/strict'
 *
 * assert.throws(() => contract('Acme.Orders', { ping: call({}) }), ContractError)
 * ```
 */
export class ContractError extends Error {
  override readonly name = 'ContractError'
  readonly code: ContractErrorCode

  constructor(code: ContractErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
