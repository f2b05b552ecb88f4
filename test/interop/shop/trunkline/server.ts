// The same server by Trunkline, from the imported contract.
//
//   node server.ts        certificate and key in the environment for TLS; prints its port

import { CallError, type Context, Metadata, type Out, implement, serve } from 'trunkline'
import { secondsOf } from './duration.ts'
import { statusCodeOf } from './status-codes.ts'
import { type Journal, type Product, Shop } from './shop.contract.ts'

const products = new Map<string, Out<typeof Product>>()
const journals = new Map<string, PromiseWithResolvers<Out<typeof Journal>>>()

function journalOf(order: string): PromiseWithResolvers<Out<typeof Journal>> {
  const journal = journals.get(order) ?? Promise.withResolvers<Out<typeof Journal>>()
  journals.set(order, journal)
  return journal
}

function noteCancellation(order: string, { signal, deadline }: Pick<Context, 'signal' | 'deadline'>): void {
  const inAHurry = deadline - performance.now() < 10_000
  signal.addEventListener('abort', () => {
    journalOf(order).resolve({ order, canceled: true, inAHurry })
  })
}

const shop = implement(Shop, {
  getProduct({ sku }, ctx) {
    const product = products.get(sku)
    if (product === undefined) {
      const metadata = new Metadata({ 'x-reason': 'unknown-sku', 'x-reason-bin': Uint8Array.of(0, 255, 10) })
      throw new CallError('not_found', `there is no "${sku}": 100 % sicher ☹`, { metadata })
    }

    for (const name of ['x-tenant', 'x-signature-bin']) {
      for (const value of ctx.metadata.getAll(name)) ctx.reply.metadata.append(name, value)
    }
    ctx.reply.trailers.append('x-cost', '3').append('x-cost', '4').append('x-cost-bin', Uint8Array.of(3))
    return product
  },

  putProduct(product) {
    products.set(product.sku, product)
    return product
  },

  placeOrder({ lines, card, iban, cash }) {
    const code = /^CODE-(\d+)$/.exec(iban ?? '')?.[1]
    if (code !== undefined) throw new CallError(statusCodeOf(Number(code)), `as asked: ${code}`)
    if (lines.length === 0) throw new CallError('invalid_argument', 'an order has lines')

    const quantity = lines.reduce((sum, line) => sum + line.quantity, 0)
    const other = iban === undefined ? (cash === undefined ? 'nobody' : 'cash') : 'iban'
    return {
      number: 2n ** 64n - 1n,
      total: { currency: 'EUR', units: BigInt(quantity), nanos: -1 },
      paidBy: card === undefined ? other : `card ${card.number}`,
    }
  },

  async *listProducts({ count, failAfter, padding }, ctx) {
    for (let index = 0; index < count; index++) {
      if (failAfter > 0 && index === failAfter) {
        throw new CallError('aborted', 'the shelf broke', {
          metadata: new Metadata({ 'x-at': String(index) }),
        })
      }
      yield { sku: `P-${index}`, name: 'x'.repeat(padding), kind: 'KIND_PART' as const }
    }
    ctx.reply.trailers.set('x-count', String(count))
  },

  async importProducts(imported, ctx) {
    const skus: string[] = []
    const countByKind: Record<string, number> = {}
    for await (const { sku, name, kind } of imported) {
      if (name === '') throw new CallError('invalid_argument', `${sku} has no name`)
      skus.push(sku)
      countByKind[kind] = (countByKind[kind] ?? 0) + 1
    }
    ctx.reply.trailers.set('x-imported', 'all')
    return { count: skus.length, countByKind, skus }
  },

  async *haggle(bids, ctx) {
    for await (const { amount } of bids) {
      const accepted = amount >= 100n
      yield { amount: amount * 2n, accepted }
      if (accepted) {
        ctx.reply.trailers.set('x-sold', 'yes')
        return
      }
    }
    ctx.reply.trailers.set('x-sold', 'no')
  },

  prepare({ order, time = 'PT0S' }, ctx) {
    noteCancellation(order, ctx)
    return new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, secondsOf(time) * 1000)
      ctx.signal.addEventListener('abort', () => {
        clearTimeout(timer)
        reject(ctx.signal.reason as Error)
      })
    })
  },

  async *watchPrices({ order }, ctx) {
    noteCancellation(order, ctx)
    for (let amount = 1n; !ctx.signal.aborted; amount++) {
      yield { amount, accepted: false }
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  },

  readJournal: ({ order }) => journalOf(order).promise,
})

const { TLS_CERT: cert, TLS_KEY: key } = process.env
const secure = cert === undefined || key === undefined ? {} : { tls: { cert, key } }
const server = await serve(shop, { port: 0, ...secure })
console.log(server.port)
process.stdin.resume().once('end', () => void server.close({ grace: 0 }))
