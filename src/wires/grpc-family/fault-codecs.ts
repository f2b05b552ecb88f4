/** The declared faults of an operation, as details of an error: their names in google.rpc.ErrorInfo, their codecs. */
import { type ProtobufCodec, compileProtobuf } from '../../codec/protobuf/compile.ts'
import type { CallOperation, FaultInfo } from '../../contract/operation.ts'
import { upperSnakeCase } from '../../schema/names.ts'
import { protoNameOf } from './full-names.ts'

export interface FaultCodec {
  readonly info: FaultInfo
  /** `OUT_OF_STOCK` */
  readonly reason: string
  /** `acme.orders.v1.OutOfStock`; `undefined` for a fault without detail. */
  readonly type: string | undefined
  readonly detail: ProtobufCodec | undefined
}

/** The faults of an operation, and where their names mean something: the contract's own. */
export interface FaultCodecs {
  readonly domain: string
  readonly faults: readonly FaultCodec[]
}

export function faultCodecs({ contract, faults }: CallOperation, depth: number): FaultCodecs {
  return {
    domain: contract.name,
    faults: Object.values(faults).map((info) => {
      const { detail } = info
      return {
        info,
        reason: upperSnakeCase(info.name),
        type: detail && protoNameOf(contract, detail.name),
        detail: detail && compileProtobuf(detail.schema, { depth }),
      }
    }),
  }
}
