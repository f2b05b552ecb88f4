/** What the application does with its shop, and what it must see, whoever is on either side. */
import type { Product, Seen, ShopClient } from './shop-client.ts'

export interface Observation {
  readonly what: string
  see(shop: ShopClient): Promise<unknown>
  readonly expected: unknown
}

const plain = { tags: [], stock: {}, priceByQuantity: {}, picture: '', history: [], parts: [], serial: '0' }
const empty: Product = { sku: '', name: '', kind: 'KIND_UNSPECIFIED', ...plain }

const full: Product = {
  sku: 'SAW-1',
  name: 'Säge "groß" 🪚',
  kind: 'KIND_SERVICE',
  price: { currency: 'EUR', units: '9223372036854775807', nanos: -999_999_999 },
  tags: ['', 'sharp', 'ärger'],
  stock: { Wien: 4_294_967_295, '': 1 },
  priceByQuantity: {
    '-1': { currency: 'USD', units: '-5', nanos: 0 },
    '10': { currency: '', units: '0', nanos: 0 },
  },
  attributes: {
    text: 'x',
    number: 1.5,
    yes: true,
    none: null,
    list: [1, 'two', { three: 3 }],
    inner: { a: {} },
  },
  addedAt: '1969-12-31T23:59:58.250Z',
  warranty: 90.5,
  note: '',
  weight: '-9007199254740993',
  fragile: false,
  picture: Buffer.from([0, 1, 254, 255]).toString('base64'),
  dimensions: { length: Number.MIN_VALUE, width: 0.5, height: -2_147_483_648 },
  history: ['-1', '0', '-9223372036854775808'],
  parts: [{ ...empty, sku: 'BLADE', parts: [{ ...empty, sku: 'TOOTH', hidden: false }] }],
  serial: '18446744073709551615',
  hidden: true,
}

const done = { code: 0, message: '', headers: [], trailers: [] }
const failed = { values: [], headers: [], trailers: [] }
const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `P-${index}`)

/** With what comes from one's own side left out: every library has a sentence of its own for that. */
function withoutMessage({ code, values }: Seen): unknown {
  return { code, values }
}

/**
 * A call that ends by its deadline, and what the server saw of it. On a machine that stands still for a while the time may be over
 * before the server has the call: then it is made again with more.
 */
async function overdue(
  shop: ShopClient,
  name: string,
  call: (order: string, timeout: number) => Promise<Seen>,
): Promise<unknown> {
  for (let timeout = 100; ; timeout *= 4) {
    const order = `${name} ${timeout}`
    const { code } = await call(order, timeout)
    const { values } = await shop.readJournal(order, { timeout: 4_000 })
    const [journal] = values
    if (journal !== undefined) return { code, canceled: journal.canceled, inAHurry: journal.inAHurry }
  }
}

export const observations: readonly Observation[] = [
  {
    what: 'a value in every field',
    see: (shop) => shop.putProduct(full),
    expected: { ...done, values: [full] },
  },
  {
    what: 'no value in any field',
    see: (shop) => shop.putProduct(empty),
    expected: { ...done, values: [empty] },
  },
  {
    what: 'each member of a oneof, and none',
    async see(shop) {
      const lines = [
        { sku: 'A', quantity: 2 },
        { sku: 'B', quantity: 0 },
      ]
      const payments = [
        { card: '4711' },
        { card: '' },
        { iban: 'AT1' },
        { iban: '' },
        { cash: true as const },
        {},
      ]
      const receipts = []
      for (const payment of payments) receipts.push(...(await shop.placeOrder({ lines, ...payment })).values)
      return receipts
    },
    expected: ['card 4711', 'card ', 'iban', 'iban', 'cash', 'nobody'].map((paidBy) => ({
      number: '18446744073709551615',
      total: { currency: 'EUR', units: '2', nanos: -1 },
      paidBy,
    })),
  },
  {
    what: 'every status code with its message',
    async see(shop) {
      const seen: unknown[] = []
      for (let code = 1; code <= 16; code++)
        seen.push(await shop.placeOrder({ lines: [], iban: `CODE-${code}` }))
      return seen
    },
    expected: Array.from({ length: 16 }, (_, index) => ({
      ...failed,
      code: index + 1,
      message: `as asked: ${index + 1}`,
    })),
  },
  {
    what: 'an error with a message beyond ASCII, and trailers, text and bytes',
    see: (shop) => shop.getProduct('läuft\nnicht'),
    expected: {
      ...failed,
      code: 5,
      message: 'there is no "läuft\nnicht": 100 % sicher ☹',
      trailers: [
        ['x-reason', 'unknown-sku'],
        ['x-reason-bin', 'AP8K'],
      ],
    },
  },
  {
    what: 'metadata in order, repeated, of bytes, empty; headers and trailers',
    async see(shop) {
      await shop.putProduct({ ...empty, sku: 'META' })
      const metadata = [
        ['x-tenant', 'acme'],
        ['x-signature-bin', 'AAH//g=='],
        ['x-tenant', 'two words, and a comma'],
        ['x-signature-bin', ''],
        ['x-tenant', '%7e'],
      ] as const
      return shop.getProduct('META', { metadata })
    },
    expected: {
      ...done,
      values: [{ ...empty, sku: 'META' }],
      headers: [
        ['x-signature-bin', 'AAH//g==, '],
        ['x-tenant', 'acme, two words, and a comma, %7e'],
      ],
      trailers: [
        ['x-cost', '3, 4'],
        ['x-cost-bin', 'Aw=='],
      ],
    },
  },
  {
    what: 'a stream from the server, in order, with trailers',
    async see(shop) {
      const { values, ...rest } = await shop.listProducts({ count: 2_000, padding: 2_000 })
      return {
        ...rest,
        skus: values.map(({ sku }) => sku),
        whole: values.every(({ name }) => name.length === 2_000),
      }
    },
    expected: { ...done, trailers: [['x-count', '2000']], skus: numbered(2_000), whole: true },
  },
  {
    what: 'a stream of nothing',
    see: (shop) => shop.listProducts({ count: 0 }),
    expected: { ...done, values: [], trailers: [['x-count', '0']] },
  },
  {
    what: 'an error in the midst of a stream, after what came before it',
    async see(shop) {
      const { values, ...rest } = await shop.listProducts({ count: 50, failAfter: 20 })
      return { ...rest, skus: values.map(({ sku }) => sku) }
    },
    expected: {
      code: 10,
      message: 'the shelf broke',
      headers: [],
      trailers: [['x-at', '20']],
      skus: numbered(20),
    },
  },
  {
    what: 'a stream to the server, in order',
    see: (shop) =>
      shop.importProducts(numbered(1_000).map((sku) => ({ ...empty, sku, name: sku, kind: 'KIND_TOOL' }))),
    expected: {
      ...done,
      values: [{ count: 1_000, countByKind: { KIND_TOOL: 1_000 }, skus: numbered(1_000) }],
      trailers: [['x-imported', 'all']],
    },
  },
  {
    what: 'nothing streamed to the server',
    see: (shop) => shop.importProducts([]),
    expected: {
      ...done,
      values: [{ count: 0, countByKind: {}, skus: [] }],
      trailers: [['x-imported', 'all']],
    },
  },
  {
    what: 'an error while the client streams',
    see: (shop) =>
      shop.importProducts(
        numbered(100).map((sku, index) => ({ ...empty, sku, name: index === 7 ? '' : sku })),
      ),
    expected: { ...failed, code: 3, message: 'P-7 has no name' },
  },
  {
    what: 'both directions in turn, ended by the server',
    see: (shop) => shop.haggle((offer) => (offer === undefined ? 7 : Number(offer.amount))),
    expected: {
      ...done,
      values: ['14', '28', '56', '112', '224'].map((amount) => ({ amount, accepted: amount === '224' })),
      trailers: [['x-sold', 'yes']],
    },
  },
  {
    what: 'both directions in turn, ended by the client',
    see: (shop) => shop.haggle((offer) => (offer === undefined ? -1 : offer.amount === '-2' ? 5 : undefined)),
    expected: {
      ...done,
      values: [
        { amount: '-2', accepted: false },
        { amount: '10', accepted: false },
      ],
      trailers: [['x-sold', 'no']],
    },
  },
  {
    what: 'a call within its deadline',
    see: (shop) => shop.prepare('in time', 0.01, { timeout: 20_000 }),
    expected: { ...done, values: ['prepared'] },
  },
  {
    what: 'a call past its deadline, of which the server hears',
    see: (shop) => overdue(shop, 'late', (order, timeout) => shop.prepare(order, 600, { timeout })),
    expected: { code: 4, canceled: true, inAHurry: true },
  },
  {
    what: 'a call that is canceled, of which the server hears',
    async see(shop) {
      const controller = new AbortController()
      const call = shop.prepare('given up', 600, { signal: controller.signal })
      // A later call has been answered, so the earlier one is there.
      await shop.putProduct(empty)
      controller.abort()
      return [withoutMessage(await call), ...(await shop.readJournal('given up')).values]
    },
    expected: [
      { code: 1, values: [] },
      { order: 'given up', canceled: true, inAHurry: false },
    ],
  },
  {
    what: 'a stream that is canceled half way, of which the server hears',
    async see(shop) {
      const controller = new AbortController()
      const call = await shop.watchPrices(
        'prices',
        ({ amount }) => {
          if (amount === '5') controller.abort()
        },
        { signal: controller.signal },
      )
      const { values } = call
      return [
        call.code,
        values.slice(0, 5).map(({ amount }) => amount),
        ...(await shop.readJournal('prices')).values,
      ]
    },
    expected: [1, ['1', '2', '3', '4', '5'], { order: 'prices', canceled: true, inAHurry: false }],
  },
  {
    what: 'a stream past its deadline, of which the server hears',
    see: (shop) =>
      overdue(shop, 'too long', (order, timeout) => shop.watchPrices(order, () => {}, { timeout })),
    expected: { code: 4, canceled: true, inAHurry: true },
  },
  {
    what: 'a hundred calls at once',
    async see(shop) {
      const skus = numbered(100)
      const seen = await Promise.all(skus.map((sku) => shop.putProduct({ ...full, sku })))
      return seen.map(({ values }) => values[0]?.sku)
    },
    expected: numbered(100),
  },
]

/** Sees all, one after the other, and prints each as a line of JSON. */
export async function observe(shop: ShopClient): Promise<void> {
  for (const { what, see } of observations) console.log(JSON.stringify({ what, saw: await see(shop) }))
  shop.close()
}
