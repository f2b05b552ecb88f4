/** From one side of a declaration to a `Message`. */
import type { tableBuilder } from '../schema/from-standard.ts'
import { ContractError } from './contract-error.ts'
import type { Shape } from './call.ts'
import type { Message } from './operation.ts'
import type { Stream } from './stream.ts'

/** Reads what was declared; `undefined` when there is nothing. */
export type ReadMessage = (declared: Shape, suggestedName: string, where: string) => Message | undefined

/** A reader whose messages all share one table of types. */
export function messageReader(table: ReturnType<typeof tableBuilder>): ReadMessage {
  return (declared, suggestedName, where) => {
    if (declared === undefined) return undefined

    const streamed = isStream(declared)
    const { slot, optional, refine } = table.read(streamed ? declared.of : declared, suggestedName, where)

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

function isStream(declared: NonNullable<Shape>): declared is Stream {
  return 'kind' in declared && declared.kind === 'stream' && 'of' in declared
}
