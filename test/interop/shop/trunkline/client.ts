// The same client by Trunkline, from the imported contract.
//
//   node client.ts 127.0.0.1:7000        authority in the environment for TLS; prints what it sees, one line an observation

import { CallError, type CallOptions, type MetadataReader, type Out, connect, disconnect } from 'trunkline'
import { observe } from '../observations.ts'
import {
  type Journal,
  type Money,
  type Product,
  type Seen,
  type Settings,
  type ShopClient,
  ownPairs,
} from '../shop-client.ts'
import { secondsOf } from './duration.ts'
import { type Money as MoneyMessage, type Product as ProductMessage, Shop } from './shop.contract.ts'
import { numberOf } from './status-codes.ts'

const { TLS_CA: ca } = process.env
const client = connect(
  Shop,
  `${ca === undefined ? 'grpc' : 'grpcs'}://${process.argv[2]}`,
  ca === undefined ? {} : { tls: { ca, servername: 'localhost' } },
)

/** Makes a call and tells all that came of it. */
async function seen<T>(
  make: (options: CallOptions) => Promise<unknown> | AsyncIterable<unknown>,
  convert: (value: any) => T,
  { metadata = [], ...settings }: Settings = {},
): Promise<Seen<T>> {
  const sent: Record<string, (string | Uint8Array)[]> = {}
  for (const [name, value] of metadata) {
    ;(sent[name] ??= []).push(name.endsWith('-bin') ? Buffer.from(value, 'base64') : value)
  }

  let head: { metadata: MetadataReader; trailers: Promise<MetadataReader> } | undefined
  const values: T[] = []
  const answer = (code: number, message: string, trailers: MetadataReader | undefined): Seen<T> => ({
    values,
    code,
    message,
    headers: ownPairs(head?.metadata ?? []),
    trailers: ownPairs(trailers ?? []),
  })

  try {
    const call = make({ ...settings, metadata: sent, onReply: (reply) => (head = reply) })
    if (Symbol.asyncIterator in call) for await (const value of call) values.push(convert(value))
    else values.push(convert(await call))
    return answer(0, '', await head?.trailers)
  } catch (error) {
    if (!CallError.is(error)) throw error
    return answer(numberOf(error.code), error.message, error.metadata)
  }
}

function moneyOf({ currency, units, nanos }: Out<typeof MoneyMessage>): Money {
  return { currency, units: String(units), nanos }
}

function productOf(received: Out<typeof ProductMessage>): Product {
  const { price, priceByQuantity, addedAt, warranty, weight, picture, history, parts, serial, ...rest } =
    received
  return {
    ...rest,
    ...(price === undefined ? {} : { price: moneyOf(price) }),
    priceByQuantity: Object.fromEntries(
      [...priceByQuantity].map(([quantity, each]) => [quantity, moneyOf(each)]),
    ),
    ...(addedAt === undefined ? {} : { addedAt: addedAt.toISOString() }),
    ...(warranty === undefined ? {} : { warranty: secondsOf(warranty) }),
    ...(weight === undefined ? {} : { weight: String(weight) }),
    picture: Buffer.from(picture).toString('base64'),
    history: history.map(String),
    parts: parts.map(productOf),
    serial: String(serial),
  }
}

function moneyToSend({ currency, units, nanos }: Money): Out<typeof MoneyMessage> {
  return { currency, units: BigInt(units), nanos }
}

function productToSend(product: Product): Out<typeof ProductMessage> {
  const { price, priceByQuantity, addedAt, warranty, weight, picture, history, parts, serial, ...rest } =
    product
  return {
    ...(rest as Pick<Out<typeof ProductMessage>, 'sku' | 'name' | 'kind' | 'tags' | 'stock'>),
    ...(price === undefined ? {} : { price: moneyToSend(price) }),
    priceByQuantity: new Map(
      Object.entries(priceByQuantity).map(([quantity, each]) => [Number(quantity), moneyToSend(each)]),
    ),
    ...(addedAt === undefined ? {} : { addedAt: new Date(addedAt) }),
    ...(warranty === undefined ? {} : { warranty: `PT${warranty}S` }),
    ...(weight === undefined ? {} : { weight: BigInt(weight) }),
    picture: Buffer.from(picture, 'base64'),
    history: history.map(BigInt),
    parts: parts.map(productToSend),
    serial: BigInt(serial),
  }
}

const offerOf = ({ amount, accepted }: { amount: bigint; accepted: boolean }) => ({
  amount: String(amount),
  accepted,
})

const shop: ShopClient = {
  getProduct: (sku, settings) => seen((options) => client.getProduct({ sku }, options), productOf, settings),
  putProduct: (product, settings) =>
    seen((options) => client.putProduct(productToSend(product), options), productOf, settings),
  placeOrder: ({ lines, card, iban, cash }) =>
    seen(
      (options) =>
        client.placeOrder(
          {
            lines: lines.map((line) => ({ ...line })),
            ...(card === undefined ? {} : { card: { number: card } }),
            ...(iban === undefined ? {} : { iban }),
            ...(cash === undefined ? {} : { cash: {} }),
          },
          options,
        ),
      ({ number, total, paidBy }) => ({ number: String(number), total: moneyOf(total), paidBy }),
    ),
  listProducts: (request, settings) =>
    seen((options) => client.listProducts(request, options), productOf, settings),
  importProducts(products, settings) {
    const messages = [...products].map(productToSend)
    return seen(
      (options) => client.importProducts(messages, options),
      (summary) => summary,
      settings,
    )
  },
  haggle(next) {
    let turn = Promise.withResolvers<{ amount: bigint } | undefined>()
    const bid = (offer: ReturnType<typeof offerOf> | undefined) => {
      const amount = next(offer)
      turn.resolve(amount === undefined ? undefined : { amount: BigInt(amount) })
    }
    async function* bids() {
      for (let each = await turn.promise; each !== undefined; each = await turn.promise) {
        turn = Promise.withResolvers()
        yield each
      }
    }
    bid(undefined)
    return seen(
      (options) => client.haggle(bids(), options),
      (message) => {
        const offer = offerOf(message)
        bid(offer)
        return offer
      },
    )
  },
  prepare: (order, seconds, settings) =>
    seen(
      (options) => client.prepare({ order, time: `PT${seconds}S` }, options),
      () => 'prepared',
      settings,
    ),
  watchPrices: (order, each, settings) =>
    seen(
      (options) => client.watchPrices({ order }, options),
      (message) => {
        const offer = offerOf(message)
        each(offer)
        return offer
      },
      settings,
    ),
  readJournal: (order, settings) =>
    seen(
      (options) => client.readJournal({ order }, options),
      (journal: Journal) => journal,
      settings,
    ),
  close: () => void disconnect(client),
}

await observe(shop)
