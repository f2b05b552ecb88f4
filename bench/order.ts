// The reference work of every scenario: echo this Order (96 bytes as protobuf, 145 as JSON).

/** The reference Order. */
export interface Order {
  id: string
  sku: string
  quantity: number
  price: number
  note: string
  tags: string[]
}

/** The reference values. */
export const order: Order = {
  id: 'ord_01HZX3Q5',
  sku: 'SKU-4711',
  quantity: 3,
  price: 12.5,
  note: 'leave at the door, ring twice please',
  tags: ['fragile', 'eu', 'priority'],
}

/** A reference Order that can be told from its neighbours by its quantity (1 to 100: one byte on every wire). */
export function nthOrder(n: number): Order {
  return { ...order, quantity: 1 + (n % 100) }
}

/** Whether an echo is what was sent, field by field. */
export function isEcho(sent: Order, got: Order): boolean {
  return (
    got.id === sent.id &&
    got.sku === sent.sku &&
    got.quantity === sent.quantity &&
    got.price === sent.price &&
    got.note === sent.note &&
    got.tags.length === 3 &&
    got.tags[0] === sent.tags[0] &&
    got.tags[1] === sent.tags[1] &&
    got.tags[2] === sent.tags[2]
  )
}
