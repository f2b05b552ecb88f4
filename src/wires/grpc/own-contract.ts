/** Contracts of services that every gRPC server has, made without a schema library. */
import type { MessageDescription } from '../../contract/describe.ts'
import { fromDescription } from '../../contract/from-description.ts'
import type { CallOperation, ContractInfo } from '../../contract/operation.ts'
import type { Field, Slot, Types } from '../../schema/type.ts'

/** A method: its name on gRPC, and which messages it takes and gives. */
export interface OwnMethod {
  readonly method: string
  readonly input: { readonly type: string; readonly stream?: true }
  readonly output: { readonly type: string; readonly stream?: true }
}

/** The contract of a service. `methods` by the operation's name. */
export function ownContract(
  name: string,
  grpcService: string,
  types: Types,
  methods: Readonly<Record<string, OwnMethod>>,
): ContractInfo {
  const operations = Object.entries(methods).map(([key, { method, input, output }]) => [
    key,
    {
      kind: 'call',
      input: messageOf(input),
      output: messageOf(output),
      rest: { route: `POST /${name}/${key}`, implied: true, status: 200 },
      grpc: `${grpcService}/${method}`,
      soap: { action: `urn:${name}#${key}`, element: key },
    },
  ])

  return fromDescription({
    trunkline: 1,
    name,
    locked: true,
    grpcService,
    soapNamespace: `urn:${name}`,
    types,
    operations: Object.fromEntries(operations),
  })
}

function messageOf({ type, stream }: OwnMethod['input']): MessageDescription {
  const root: Slot = { type: { kind: 'ref', to: type } }
  return { name: type, root, ...(stream === undefined ? {} : { stream }) }
}

/** An operation that is known to be there. */
export function operationOf({ operations }: ContractInfo, name: string): CallOperation {
  return operations.get(name) as CallOperation
}

/** A field of text that is empty unless it is given. */
export function textField(name: string, number: number): Field {
  return { name, number, type: { kind: 'string' }, default: '' }
}

/** A member of a oneof. */
export function memberField(oneof: string, name: string, number: number, to?: string): Field {
  const type = to === undefined ? ({ kind: 'string' } as const) : ({ kind: 'ref', to } as const)
  return { name, number, type, optional: true, oneof }
}

/** A list of messages. */
export function listField(name: string, number: number, of: Slot): Field {
  return { name, number, type: { kind: 'list', of, js: 'array' } }
}
