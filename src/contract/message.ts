/** From one side of a declaration to a `Message`. */
import type { tableBuilder } from '../schema/from-standard.ts'
import { ContractError } from './contract-error.ts'
import type { Shape } from './call.ts'
import type { Message } from './operation.ts'
import type { Stream } from './stream.ts'
import { isSchema, valueInWords } from './value-in-words.ts'

/** Reads what was declared; `undefined` when there is nothing. */
export type ReadMessage = (declared: Shape, suggestedName: string, where: string) => Message | undefined

/** A reader whose messages all share one table of types. */
export function messageReader(table: ReturnType<typeof tableBuilder>): ReadMessage {
  return (declared, suggestedName, where) => {
    if (declared === undefined) return undefined

    const streamed = isStream(declared)
    const schema = streamed ? declared.of : declared
    checkSchema(schema, streamed, where)
    const { slot, optional, refine } = table.read(schema, suggestedName, where)

    if (optional) {
      throw new ContractError(
        'contract_option',
        `${where}: a whole message cannot be optional on most wires; make its fields optional, or use nullable()`,
      )
    }

    const named = slot.type.kind === 'ref' && slot.nullable !== true ? slot.type.to : undefined
    const isObject = named !== undefined && table.types[named]?.kind === 'object'

    return {
      stream: streamed,
      schema: { root: slot, types: table.types },
      name: isObject ? named : suggestedName,
      refine,
    }
  }
}

/** What people give instead of a schema, each with what they meant. */
function checkSchema(schema: unknown, streamed: boolean, where: string): void {
  if (isSchema(schema)) return

  const refuse = (got: string, advice: string): never => {
    throw new ContractError('contract_option', `${where}: expected a schema, got ${got}; ${advice}`)
  }

  if (streamed) {
    if (schema === undefined) refuse('stream() of nothing', 'write stream(z.object({ … }))')
    if (isStream(schema)) refuse('a stream of a stream', 'write stream(z.object({ … }))')
  }
  if (typeof schema === 'function') refuse('a function', 'call it, as in z.string()')
  if (isFault(schema)) refuse('a fault', "write it into faults: { notThere: fault('not_found') }")
  if (typeof schema === 'object' && schema !== null && !Array.isArray(schema)) {
    refuse('an object', 'write z.object({ … }) around its fields')
  }
  refuse(valueInWords(schema), 'write one such as z.object({ … })')
}

function isFault(declared: unknown): boolean {
  return typeof declared === 'object' && (declared as { kind?: unknown } | null)?.kind === 'fault'
}

function isStream(declared: unknown): declared is Stream {
  if (typeof declared !== 'object' || declared === null) return false
  return 'kind' in declared && declared.kind === 'stream' && 'of' in declared
}
