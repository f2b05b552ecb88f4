/** One round over orders and operations, with every reply compared to what it must be. */
import assert from 'node:assert/strict'
import { CallError, isFault } from 'trunkline'
import type * as z from 'zod'
import { type Everything, NewOrder, Orders } from './contract.ts'
import type { OrdersClient } from './demo-clients.ts'

type NewOrderInput = z.input<typeof NewOrder>

/** What the checks call: a client over all servers, and one of the server that keeps what it was given. */
export interface Checked {
  readonly spread: OrdersClient
  readonly own: OrdersClient
}

export interface Round {
  readonly calls: number
  /** Errors that were meant to come, and came as they must. */
  readonly faults: number
  /** A sentence each; empty when all is well. */
  readonly problems: readonly string[]
}

/** How many orders are placed at once. */
const atOnce = 16

/** Calls every operation, and places every order. */
export async function checkRound({ spread, own }: Checked, orders: readonly unknown[]): Promise<Round> {
  const problems: string[] = []
  let calls = 0
  let faults = 0

  /** Runs one check of so many calls. */
  async function check(what: string, count: number, run: () => Promise<void>): Promise<void> {
    calls += count
    try {
      await run()
    } catch (error) {
      problems.push(
        `${what}: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`,
      )
    }
  }

  /** Runs a call that must fail, and looks at how. */
  async function mustFail(
    call: Promise<unknown>,
    look: (error: unknown) => boolean,
    how: string,
  ): Promise<void> {
    const error = await call.then(
      () => assert.fail(`was answered, and must fail with ${how}`),
      (reason: unknown) => reason,
    )
    assert.ok(
      look(error),
      `failed with ${error instanceof Error ? error.message : String(error)}, and not with ${how}`,
    )
    faults++
  }

  const waiting = [...orders.entries()]
  const placeAll = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, order] = next
      await check(`order ${index + 1}`, 1, () => checkPlaced(spread, order, mustFail))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, placeAll))

  await check('get, replace, search and cancel', 6, () => checkKept(own, mustFail))
  await check('echo', 1, async () => {
    assert.deepEqual(await spread.echo(sample), sample)
  })
  await check('everything', 1, async () => {
    const { defaulted: _, ...given } = everything
    assert.deepEqual(await spread.everything(given), everything)
  })
  for (const payment of payments) {
    await check(`pay by ${payment.method}`, 1, async () => {
      assert.deepEqual(await spread.pay(payment), payment)
    })
  }
  await check('ping', 1, async () => {
    assert.equal(await spread.ping(), undefined)
  })
  await check('sleep', 1, async () => {
    assert.equal(await spread.sleep({ milliseconds: 1 }), undefined)
  })
  await check('sleep past its deadline', 1, () =>
    mustFail(
      spread.sleep({ milliseconds: 30_000 }, { timeout: 50 }),
      hasCode('deadline_exceeded'),
      'deadline_exceeded',
    ),
  )
  await check('fail', 1, () => mustFail(spread.fail({ code: 'aborted' }), hasCode('aborted'), 'aborted'))

  await check('watch', 1, async () => {
    const seen = await all(spread.watch({ sku: 'WATCHED', count: 100 }))
    assert.deepEqual(
      seen.map(({ sku, quantity }) => [sku, quantity]),
      Array.from({ length: 100 }, (_, index) => ['WATCHED', index + 1]),
    )
  })
  await check('watch, given up half way', 1, async () => {
    for await (const { quantity } of spread.watch({ count: 1_000_000 })) if (quantity === 10) break
  })
  await check('import', 1, async () => {
    const good = orders.map((order) => NewOrder.safeParse(order)).flatMap(({ data }) => data ?? [])
    const total = good.reduce((sum, { price, quantity }) => sum + price * quantity, 0)
    assert.deepEqual(await spread.import(good), { count: good.length, total })
  })
  await check('haggle', 1, async () => {
    const bids = Array.from({ length: 50 }, (_, index) => ({ bid: index + 0.5 }))
    assert.deepEqual(
      await all(spread.haggle(bids)),
      bids.map(({ bid }) => ({ offer: bid * 2 })),
    )
  })

  return { calls, faults, problems }
}

type MustFail = (call: Promise<unknown>, look: (error: unknown) => boolean, how: string) => Promise<void>

/** An order is answered with itself and an id, or refused for what is wrong with it. */
async function checkPlaced(client: OrdersClient, order: unknown, mustFail: MustFail): Promise<void> {
  const expected = NewOrder.safeParse(order)
  const placing = client.place(order as NewOrderInput)

  if (!expected.success) return mustFail(placing, isInvalid, 'invalid_argument and what is wrong')
  const { data } = expected
  if (data.sku.startsWith('NONE')) {
    return mustFail(placing, (error) => isOutOfStock(error, data.sku), 'outOfStock and its sku')
  }

  const { id, ...rest } = await placing
  assert.match(id, /^ord_/)
  assert.deepEqual(rest, data)
}

/** What a server keeps can be read, replaced, found and canceled there. */
async function checkKept(client: OrdersClient, mustFail: MustFail): Promise<void> {
  const placed = await client.place({
    sku: 'KEPT-1',
    quantity: 3,
    price: 1.25,
    note: 'Öl & Ελιά',
    tags: ['demo'],
  })
  assert.deepEqual(await client.get({ id: placed.id }), placed)

  const replaced = { ...placed, quantity: 4 }
  assert.deepEqual(await client.replace(replaced), replaced)
  const { orders } = await client.search({ sku: 'KEPT-1', tags: ['demo'], limit: 1000 })
  assert.deepEqual(
    orders.find(({ id }) => id === placed.id),
    replaced,
  )

  assert.equal(await client.cancel({ id: placed.id }), undefined)
  await mustFail(
    client.get({ id: placed.id }),
    (error) => isFault(error, Orders.get, 'noSuchOrder') && error.fault.detail.id === placed.id,
    'noSuchOrder and its id',
  )
}

function isInvalid(error: unknown): boolean {
  return CallError.is(error) && error.code === 'invalid_argument' && error.issues.length > 0
}

function isOutOfStock(error: unknown, sku: string): boolean {
  return (
    isFault(error, Orders.place, 'outOfStock') &&
    error.fault.detail.sku === sku &&
    error.fault.detail.left === 0
  )
}

function hasCode(code: CallError['code']): (error: unknown) => boolean {
  return (error) => CallError.is(error) && error.code === code
}

async function all<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const message of messages) list.push(message)
  return list
}

const sample = {
  id: 'ord_echo',
  sku: 'SKU-4711',
  quantity: 7,
  price: 12.34,
  note: 'Tür 3 — 配達 🥚',
  tags: ['express', 'überlänge'],
}

const payments = [
  { method: 'card', last4: '4242', expires: '2031-05-31' },
  { method: 'transfer', iban: 'DE02120300000000202051' },
  { method: 'cash' },
] as const

const everything: z.output<typeof Everything> = {
  text: 'Größe "XL" \\ 大きい',
  flag: true,
  small: -2_147_483_648,
  unsigned: 4_294_967_295,
  whole: Number.MIN_SAFE_INTEGER,
  big: -(2n ** 63n),
  bigUnsigned: 2n ** 64n - 1n,
  single: 0.5,
  double: Math.PI,
  bytes: Uint8Array.of(0, 127, 128, 255),
  at: new Date('2026-02-28T23:59:59.999Z'),
  day: '2028-02-29',
  clock: '23:59:59',
  moment: '2026-01-02T03:04:05Z',
  lasting: 'P1DT2H',
  uuid: '0190b6a0-7c1e-7e2a-9a55-3f1d2c4b5a69',
  email: 'orders@example.com',
  url: 'https://example.com/a?b=c',
  status: 'packed',
  constant: 'fixed',
  list: ['', 'a', 'ä'],
  matrix: [[1, 2], [], [-3]],
  gaps: ['a', null, 'b'],
  unique: new Set(['x', 'y']),
  record: { 'a key': 1, toString: 2 },
  counts: new Map([
    [-1, 'minus'],
    [7, 'seven'],
  ]),
  pair: ['left', 1],
  payment: { method: 'cash' },
  tree: { name: 'root', children: [{ name: 'leaf', children: [] }] },
  anything: { nested: [1, 'two', null, { three: true }] },
  nullable: null,
  both: null,
  defaulted: 7,
}
