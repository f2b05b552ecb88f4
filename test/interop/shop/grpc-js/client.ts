// The application's client as it was before: grpc-js and proto-loader.
//
//   node client.ts 127.0.0.1:7000        authority in the environment for TLS; prints what it sees, one line an observation

import type { EventEmitter } from 'node:events'
import * as grpc from '@grpc/grpc-js'
import { observe } from '../observations.ts'
import {
  type Journal,
  type Offer,
  type Seen,
  type Settings,
  type ShopClient,
  ownPairs,
} from '../shop-client.ts'
import { Shop } from './shop-package.ts'
import { orderToSend, productOf, productToSend, receiptOf, timeOf } from './values.ts'

const { TLS_CA } = process.env
const client = new Shop(
  process.argv[2] as string,
  TLS_CA === undefined ? grpc.credentials.createInsecure() : grpc.credentials.createSsl(Buffer.from(TLS_CA)),
  TLS_CA === undefined ? {} : { 'grpc.ssl_target_name_override': 'localhost' },
) as grpc.Client & Record<string, any>

function metadataOf({ metadata = [] }: Settings): grpc.Metadata {
  const sent = new grpc.Metadata()
  for (const [name, value] of metadata) {
    sent.add(name, name.endsWith('-bin') ? Buffer.from(value, 'base64') : value)
  }
  return sent
}

function optionsOf({ timeout }: Settings): grpc.CallOptions {
  return timeout === undefined ? {} : { deadline: Date.now() + timeout }
}

function pairsOf(metadata: grpc.Metadata | undefined): ReturnType<typeof ownPairs> {
  const names = Object.keys(metadata?.getMap() ?? {})
  return ownPairs(names.flatMap((name) => metadata?.get(name).map((value) => [name, value] as const) ?? []))
}

/** Listens to a call until it is over. */
function seen<T>(
  call: EventEmitter & Pick<grpc.ClientUnaryCall, 'cancel'>,
  values: readonly T[],
  { signal }: Settings,
): Promise<Seen<T>> {
  signal?.addEventListener('abort', () => call.cancel())
  let headers: grpc.Metadata | undefined
  call.on('metadata', (metadata: grpc.Metadata) => (headers = metadata))
  call.on('error', () => {})
  return new Promise((resolve) => {
    call.on('status', ({ code, details, metadata }: grpc.StatusObject) => {
      const message = code === grpc.status.OK ? '' : details
      resolve({ values, code, message, headers: pairsOf(headers), trailers: pairsOf(metadata) })
    })
  })
}

function unary<T>(
  start: (
    metadata: grpc.Metadata,
    options: grpc.CallOptions,
    done: grpc.requestCallback<any>,
  ) => grpc.ClientUnaryCall,
  convert: (value: any) => T,
  settings: Settings = {},
): Promise<Seen<T>> {
  const values: T[] = []
  const call = start(metadataOf(settings), optionsOf(settings), (error, value) => {
    if (error === null) values.push(convert(value))
  })
  return seen(call, values, settings)
}

function streamed<T>(
  call: grpc.ClientReadableStream<any>,
  convert: (value: any) => T,
  settings: Settings,
): Promise<Seen<T>> {
  const values: T[] = []
  call.on('data', (value) => values.push(convert(value)))
  return seen(call, values, settings)
}

const shop: ShopClient = {
  getProduct: (sku, settings) =>
    unary(
      (metadata, options, done) => client.getProduct({ sku }, metadata, options, done),
      productOf,
      settings,
    ),
  putProduct: (product, settings) =>
    unary(
      (metadata, options, done) => client.putProduct(productToSend(product), metadata, options, done),
      productOf,
      settings,
    ),
  placeOrder: (order) =>
    unary(
      (metadata, options, done) => client.placeOrder(orderToSend(order), metadata, options, done),
      receiptOf,
    ),
  listProducts: (request, settings = {}) =>
    streamed(client.listProducts(request, metadataOf(settings), optionsOf(settings)), productOf, settings),
  importProducts: (products, settings) =>
    unary(
      (metadata, options, done) => {
        const call: grpc.ClientWritableStream<unknown> = client.importProducts(metadata, options, done)
        for (const product of products) call.write(productToSend(product))
        call.end()
        return call
      },
      ({ count, countByKind, skus }) => ({ count, countByKind, skus }),
      settings,
    ),
  haggle(next) {
    const call: grpc.ClientDuplexStream<unknown, Offer> = client.haggle()
    const bid = (offer: Offer | undefined) => {
      const amount = next(offer)
      if (amount === undefined) call.end()
      else call.write({ amount })
    }
    call.on('data', bid)
    bid(undefined)
    return streamed(call, (offer: Offer) => offer, {})
  },
  prepare: (order, seconds, settings) =>
    unary(
      (metadata, options, done) =>
        client.prepare({ order, time: timeOf(seconds * 1000) }, metadata, options, done),
      () => 'prepared',
      settings,
    ),
  watchPrices(order, each, settings = {}) {
    const call: grpc.ClientReadableStream<Offer> = client.watchPrices(
      { order },
      metadataOf(settings),
      optionsOf(settings),
    )
    call.on('data', each)
    return streamed(call, (offer: Offer) => offer, settings)
  },
  readJournal: (order, settings) =>
    unary(
      (metadata, options, done) => client.readJournal({ order }, metadata, options, done),
      (journal: Journal) => journal,
      settings,
    ),
  close: () => client.close(),
}

await observe(shop)
