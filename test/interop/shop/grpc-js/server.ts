// The application's server as it was before: grpc-js and proto-loader.
//
//   node server.ts [--tls]        certificate and key in the environment; prints its port

import * as grpc from '@grpc/grpc-js'
import { Shop } from './shop-package.ts'

interface Product {
  readonly sku: string
  readonly name: string
  readonly kind: string
}

interface Journal {
  readonly order: string
  readonly canceled: boolean
  readonly inAHurry: boolean
}

const products = new Map<string, Product>()
const journals = new Map<string, PromiseWithResolvers<Journal>>()
const { status } = grpc

function journalOf(order: string): PromiseWithResolvers<Journal> {
  const journal = journals.get(order) ?? Promise.withResolvers<Journal>()
  journals.set(order, journal)
  return journal
}

/** What all calls of a server are. */
type Ending = Pick<grpc.ServerUnaryCall<{ order: string }, unknown>, 'request' | 'getDeadline'> & {
  on(event: 'cancelled', listener: () => void): unknown
}

function noteCancellation(call: Ending): void {
  const { order } = call.request
  const inAHurry = Number(call.getDeadline()) - Date.now() < 10_000
  call.on('cancelled', () => {
    journalOf(order).resolve({ order, canceled: true, inAHurry })
  })
}

function metadataOf(values: Readonly<Record<string, string | Buffer>>): grpc.Metadata {
  const metadata = new grpc.Metadata()
  for (const [name, value] of Object.entries(values)) metadata.add(name, value)
  return metadata
}

const handlers: grpc.UntypedServiceImplementation = {
  getProduct(call: grpc.ServerUnaryCall<{ sku: string }, Product>, callback: grpc.sendUnaryData<Product>) {
    const product = products.get(call.request.sku)
    if (product === undefined) {
      const metadata = metadataOf({ 'x-reason': 'unknown-sku', 'x-reason-bin': Buffer.from([0, 255, 10]) })
      callback({
        code: status.NOT_FOUND,
        details: `there is no "${call.request.sku}": 100 % sicher ☹`,
        metadata,
      })
      return
    }

    const headers = new grpc.Metadata()
    for (const value of call.metadata.get('x-tenant')) headers.add('x-tenant', value)
    for (const value of call.metadata.get('x-signature-bin')) headers.add('x-signature-bin', value)
    call.sendMetadata(headers)
    const trailers = metadataOf({ 'x-cost': '3', 'x-cost-bin': Buffer.from([3]) })
    trailers.add('x-cost', '4')
    callback(null, product, trailers)
  },

  putProduct(call: grpc.ServerUnaryCall<Product, Product>, callback: grpc.sendUnaryData<Product>) {
    products.set(call.request.sku, call.request)
    callback(null, call.request)
  },

  placeOrder(call: grpc.ServerUnaryCall<any, unknown>, callback: grpc.sendUnaryData<unknown>) {
    const { lines, payment, card, iban } = call.request
    const code = /^CODE-(\d+)$/.exec(iban ?? '')?.[1]
    if (code !== undefined) {
      callback({ code: Number(code), details: `as asked: ${code}` })
      return
    }
    if (lines.length === 0) {
      callback({ code: status.INVALID_ARGUMENT, details: 'an order has lines' })
      return
    }

    const quantity = lines.reduce((sum: number, line: { quantity: number }) => sum + line.quantity, 0)
    callback(null, {
      number: '18446744073709551615',
      total: { currency: 'EUR', units: String(quantity), nanos: -1 },
      paidBy: payment === 'card' ? `card ${card.number}` : (payment ?? 'nobody'),
    })
  },

  async listProducts(
    call: grpc.ServerWritableStream<{ count: number; failAfter: number; padding: number }, Product>,
  ) {
    const { count, failAfter, padding } = call.request
    for (let index = 0; index < count; index++) {
      if (failAfter > 0 && index === failAfter) {
        const error = {
          code: status.ABORTED,
          details: 'the shelf broke',
          metadata: metadataOf({ 'x-at': String(index) }),
        }
        call.emit('error', error)
        return
      }
      const more = call.write({ sku: `P-${index}`, name: 'x'.repeat(padding), kind: 'KIND_PART' })
      if (!more) await new Promise((resolve) => call.once('drain', resolve))
    }
    call.end(metadataOf({ 'x-count': String(count) }))
  },

  importProducts(call: grpc.ServerReadableStream<Product, unknown>, callback: grpc.sendUnaryData<unknown>) {
    const skus: string[] = []
    const countByKind: Record<string, number> = {}
    let refused = false

    call.on('data', ({ sku, name, kind }: Product) => {
      if (name === '' && !refused) {
        refused = true
        callback({ code: status.INVALID_ARGUMENT, details: `${sku} has no name` })
      }
      skus.push(sku)
      countByKind[kind] = (countByKind[kind] ?? 0) + 1
    })
    call.on('end', () => {
      if (!refused)
        callback(null, { count: skus.length, countByKind, skus }, metadataOf({ 'x-imported': 'all' }))
    })
  },

  haggle(call: grpc.ServerDuplexStream<{ amount: string }, unknown>) {
    call.on('data', ({ amount }: { amount: string }) => {
      const accepted = BigInt(amount) >= 100n
      call.write({ amount: String(BigInt(amount) * 2n), accepted })
      if (accepted) call.end(metadataOf({ 'x-sold': 'yes' }))
    })
    call.on('end', () => call.end(metadataOf({ 'x-sold': 'no' })))
  },

  prepare(call: grpc.ServerUnaryCall<any, unknown>, callback: grpc.sendUnaryData<unknown>) {
    const { seconds, nanos } = call.request.time
    const timer = setTimeout(() => callback(null, {}), Number(seconds) * 1000 + nanos / 1e6)
    call.on('cancelled', () => clearTimeout(timer))
    noteCancellation(call)
  },

  watchPrices(call: grpc.ServerWritableStream<{ order: string }, unknown>) {
    let amount = 0
    const timer = setInterval(() => call.write({ amount: String(++amount), accepted: false }), 1)
    call.on('cancelled', () => clearInterval(timer))
    noteCancellation(call)
  },

  readJournal(call: grpc.ServerUnaryCall<{ order: string }, Journal>, callback: grpc.sendUnaryData<Journal>) {
    journalOf(call.request.order).promise.then((journal) => callback(null, journal), callback)
  },
}

const { TLS_CERT, TLS_KEY } = process.env
const credentials =
  TLS_CERT === undefined || TLS_KEY === undefined
    ? grpc.ServerCredentials.createInsecure()
    : grpc.ServerCredentials.createSsl(null, [
        { cert_chain: Buffer.from(TLS_CERT), private_key: Buffer.from(TLS_KEY) },
      ])

const server = new grpc.Server()
server.addService(Shop.service, handlers)
server.bindAsync('127.0.0.1:0', credentials, (error, port) => {
  if (error !== null) throw error
  console.log(port)
})
process.stdin.resume().once('end', () => server.forceShutdown())
