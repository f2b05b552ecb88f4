/** HOT PATH. What the server half keeps of each operation. Codecs are compiled when the first call comes. */
import { type JsonCodec, compileJson } from '../../codec/json/compile.ts'
import type { Limits } from '../../call/limits.ts'
import type { CallOperation, Message } from '../../contract/operation.ts'
import { parsePath } from '../../contract/route.ts'
import type { HttpResponseHead } from '../../http/exchange.ts'
import { HttpHeaders } from '../../http/headers.ts'
import { type InputCodec, compileInput } from './input.ts'
import { pathText } from './parameters.ts'
import { type FaultCodecs, faultCodecs } from './problem.ts'

export const jsonType = 'application/json'

export class Endpoint {
  readonly operation: CallOperation
  readonly streamsIn: boolean
  readonly streamsOut: boolean
  /** The head of an answer that has no metadata. */
  readonly head: HttpResponseHead
  readonly faults: FaultCodecs
  /** Headers that are fields of the input. */
  readonly takenHeaders: ReadonlySet<string> | undefined
  /** The Location header of an answer. */
  readonly location: ((output: unknown) => string) | undefined
  readonly #depth: number
  #input: InputCodec | undefined
  #element: JsonCodec | undefined
  #output: JsonCodec | undefined

  constructor(operation: CallOperation, limits: Limits) {
    const { rest, input, output } = operation
    const headers = Object.values(rest.headers)

    this.operation = operation
    this.streamsIn = input?.stream === true
    this.streamsOut = output?.stream === true
    // Frozen, so that engines encode it once.
    this.head = Object.freeze({
      status: rest.status,
      headers: new HttpHeaders(output === undefined ? [] : ['content-type', jsonType]),
    })
    this.faults = faultCodecs(operation, limits.depth)
    this.takenHeaders = headers.length === 0 ? undefined : new Set(headers)
    this.location = rest.location === undefined ? undefined : compileLocation(rest.location)
    this.#depth = limits.depth
  }

  get input(): InputCodec {
    return (this.#input ??= compileInput(this.operation, this.#depth))
  }

  /** One message of a streamed input. */
  get element(): JsonCodec {
    return (this.#element ??= this.#codec(this.operation.input as Message))
  }

  get output(): JsonCodec {
    return (this.#output ??= this.#codec(this.operation.output as Message))
  }

  #codec(message: Message): JsonCodec {
    return compileJson(message.schema, 'trunkline', { depth: this.#depth })
  }
}

/** `/orders/{id}` filled from the output's fields. */
function compileLocation(template: string): (output: unknown) => string {
  const segments = parsePath(template, template)
  return (output) => {
    const fields = output as Record<string, unknown>
    return segments
      .map((segment) =>
        'literal' in segment
          ? `/${segment.literal}`
          : `/${pathText(segment.field, plain(fields[segment.field]))}${segment.verb}`,
      )
      .join('')
  }
}

function plain(value: unknown): unknown {
  return value instanceof Date ? value.toISOString() : value
}
