/** The clients of the demo: one a wire, over all servers, with every try measured. */
import { type Client, type Filter, connect } from 'trunkline'
import { Orders } from './contract.ts'
import type { ServerProcess } from './demo-servers.ts'
import type { Statistics } from './demo-statistics.ts'

export type OrdersClient = Client<typeof Orders>

/** The URL schemes of the wires there are, all on the same port of a server. */
export const wires = ['trunk', 'http'] as const

/** A client that spreads its calls over servers and counts what becomes of them. */
export function clientOf(
  wire: string,
  servers: readonly Pick<ServerProcess, 'authority'>[],
  statistics: Statistics,
): OrdersClient {
  return connect(
    Orders,
    servers.map(({ authority }) => `${wire}://${authority}`),
    { filters: { attempt: [measured(wire, statistics)] } },
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
