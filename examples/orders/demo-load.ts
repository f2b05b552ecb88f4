/** Calls at a steady rate, or as many as there can be: mostly orders, and now and then every other operation. */
import { CallError } from 'trunkline'
import type { OrdersClient } from './demo-clients.ts'

type NewOrderInput = Parameters<OrdersClient['place']>[0]

export interface Load {
  /** Makes no new calls, and waits for those under way. */
  end(): Promise<void>
}

/** How many calls of one client may be under way. */
const atOnce = 64

/** Spreads `rate` calls a second over the clients, in turn. */
export function startLoad(clients: readonly OrdersClient[], orders: readonly unknown[], rate: number): Load {
  const open = new Set<Promise<void>>()
  const begun = performance.now()
  let made = 0
  let ended = false

  const one = (): Promise<void> => {
    const client = clients[made % clients.length] as OrdersClient
    const round = Math.floor(made++ / clients.length)
    const order = orders[round % orders.length] as NewOrderInput

    const running = callOf(client, order, round).catch(refuseSurprises)
    const tracked = running.finally(() => open.delete(tracked))
    open.add(tracked)
    return tracked
  }

  const tick = () => {
    const due = ((performance.now() - begun) / 1000) * rate
    // Whoever cannot keep up is not chased: what is not sent now is not made up for later.
    if (due - made > rate) made = Math.floor(due)
    while (made < due && open.size < atOnce * clients.length) void one()
  }

  const loop = async () => {
    while (!ended) await one()
  }

  const timer = rate === Infinity ? undefined : setInterval(tick, 10)
  const loops = rate === Infinity ? Array.from({ length: atOnce * clients.length }, loop) : []

  return {
    async end() {
      ended = true
      clearInterval(timer)
      await Promise.all([...open, ...loops])
      await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()))
    },
  }
}

/** Three of four calls place an order; the rest are all kinds. */
async function callOf(client: OrdersClient, order: NewOrderInput, round: number): Promise<void> {
  switch (round % 32) {
    case 3:
      await client.ping()
      return
    case 7:
      await client.search({ sku: order.sku, limit: 3 })
      return
    case 11:
      for await (const _ of client.watch({ count: 5 }));
      return
    case 15:
      await client.import([order, order, order])
      return
    case 19:
      for await (const _ of client.haggle([{ bid: 1 }, { bid: 2 }, { bid: 3 }]));
      return
    case 23:
      await client.pay({ method: 'cash' })
      return
    case 27:
      await client.get({ id: 'ord_that_is_not_there' })
      return
    case 31:
      await client.echo({ id: 'ord_echo', note: '', tags: [], ...order })
      return
    default:
      await client.place(order)
  }
}

/** What a call fails with is counted by the filter; anything else is a mistake here. */
function refuseSurprises(error: unknown): void {
  if (!CallError.is(error)) throw error
}
