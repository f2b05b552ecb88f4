/** The clients of the demo: one a wire, over all servers, with every try measured. */
import { type Client, type Filter, connect } from 'trunkline'
import { Orders } from './contract.ts'
import { ownMark } from './demo-foreign.ts'
import type { ServerProcess } from './demo-servers.ts'
import type { Statistics } from './demo-statistics.ts'

export type OrdersClient = Client<typeof Orders>

export interface DemoWire {
  readonly name: string
  /** Of its URLs. */
  readonly scheme: string
}

/** The wires there are, all on the same port of a server. */
export const wires: readonly DemoWire[] = [
  { name: 'trunk', scheme: 'trunk' },
  { name: 'gRPC', scheme: 'grpc' },
  { name: 'REST', scheme: 'http' },
]

/** A client that spreads its calls over servers and counts what becomes of them. */
export function clientOf(
  wire: DemoWire,
  servers: readonly Pick<ServerProcess, 'authority'>[],
  statistics: Statistics,
): OrdersClient {
  return connect(
    Orders,
    servers.map(({ authority }) => `${wire.scheme}://${authority}`),
    { metadata: { [ownMark]: 'yes' }, filters: { attempt: [measured(wire.name, statistics)] } },
  )
}

function measured(wire: string, statistics: Statistics): Filter {
  return (next) => (call) => {
    const started = performance.now()
    call.onEnd(({ error }) => {
      statistics.record(wire, call.peer?.address ?? 'none', performance.now() - started, error !== undefined)
    })
    return next(call)
  }
}
