import type { ContractOptions } from './declaration.ts'
import type { ReadMessage } from './message.ts'
import type { ContractInfo } from './operation.ts'

/** What operations need of their contract while they are resolved. */
export interface Scope {
  readonly info: ContractInfo
  readonly options: ContractOptions
  readonly read: ReadMessage
  readonly restPrefix: string
}
