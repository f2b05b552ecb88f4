/** The reference service: `trunkline serve examples/orders/service.ts` serves it on every wire there is. */
import { setTimeout as sleep } from 'node:timers/promises'
import { CallError, type In, implement } from 'trunkline'
import { type Order, Orders } from './contract.ts'

type OrderValue = In<typeof Order>

/** How many of an article there are, unless its name says that there are none. */
const stockOf = (sku: string): number => (sku.startsWith('NONE') ? 0 : 1000)

/** How many orders are kept; the oldest go first. */
const kept = 10_000

class OrderBook {
  readonly #orders = new Map<string, OrderValue>()
  #next = 1

  add(order: Omit<OrderValue, 'id'>): OrderValue {
    return this.put({ ...order, id: `ord_${(this.#next++).toString(36).padStart(8, '0')}` })
  }

  put(order: OrderValue): OrderValue {
    this.#orders.delete(order.id)
    this.#orders.set(order.id, order)
    const [oldest] = this.#orders.keys()
    if (this.#orders.size > kept && oldest !== undefined) this.#orders.delete(oldest)
    return order
  }

  get(id: string): OrderValue | undefined {
    return this.#orders.get(id)
  }

  delete(id: string): boolean {
    return this.#orders.delete(id)
  }

  all(): IterableIterator<OrderValue> {
    return this.#orders.values()
  }
}

const book = new OrderBook()

/** The service that answers the reference contract. */
export const orders = implement(Orders, {
  place(order, ctx) {
    const left = stockOf(order.sku)
    if (order.quantity > left) throw ctx.fault.outOfStock({ sku: order.sku, left })
    return book.add(order)
  },

  get({ id }, ctx) {
    const order = book.get(id)
    if (order === undefined) throw ctx.fault.noSuchOrder({ id })
    return order
  },

  replace: (order) => book.put(order),

  cancel({ id }, ctx) {
    if (!book.delete(id)) throw ctx.fault.noSuchOrder({ id })
  },

  search({ sku, tags, cheaperThan = Infinity, limit }) {
    const found: OrderValue[] = []
    for (const order of book.all()) {
      if (found.length === limit) break
      const wanted =
        (sku === undefined || order.sku === sku) &&
        order.price < cheaperThan &&
        tags.every((tag) => order.tags.includes(tag))
      if (wanted) found.push(order)
    }
    return { orders: found }
  },

  *watch({ sku = 'SKU-4711', count }) {
    for (let i = 1; i <= count; i++) {
      yield { id: `ord_${i}`, sku, quantity: i, price: 12.5, note: '', tags: [] }
    }
  },

  async import(placed) {
    let count = 0
    let total = 0
    for await (const order of placed) {
      book.add(order)
      count++
      total += order.price * order.quantity
    }
    return { count, total }
  },

  async *haggle(bids) {
    for await (const { bid } of bids) yield { offer: bid * 2 }
  },

  echo: (order) => order,

  everything: (value) => value,

  pay: (payment) => payment,

  ping() {},

  async sleep({ milliseconds }, ctx) {
    await sleep(milliseconds, undefined, { signal: ctx.signal })
  },

  fail({ code, message }) {
    throw new CallError(code, message)
  },
})

export default orders
