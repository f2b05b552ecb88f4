// Written by `trunkline import proto` from shop.proto: run it again when that changes.
import { call, contract, stream } from 'trunkline'
import * as z from 'zod'
import lock from './trunkline.lock.json' with { type: 'json' }

export const GetProductRequest = z
  .object({
    sku: z.string().default(''),
  })
  .meta({ id: 'GetProductRequest' })

export const Kind = z
  .enum([
    'KIND_UNSPECIFIED',
    'KIND_TOOL',
    'KIND_PART',
    'KIND_SERVICE',
  ])
  .meta({ id: 'Kind' })

export const Money = z
  .object({
    currency: z.string().default(''),
    units: z.int64().default(0n),
    nanos: z.int32().default(0).meta({ protobuf: 'sfixed32' }),
  })
  .meta({ id: 'Money' })

export const ProductDimensions = z
  .object({
    length: z.number().default(0),
    width: z.float32().default(0),
    height: z.int32().optional().meta({ protobuf: 'sint32' }),
  })
  .meta({ id: 'Product.Dimensions' })

export const Product = z
  .object({
    sku: z.string().default(''),
    name: z.string().default(''),
    kind: Kind.default('KIND_UNSPECIFIED'),
    price: Money.optional(),
    tags: z.array(z.string()).default([]),
    stock: z.record(z.string(), z.uint32()).default({}),
    priceByQuantity: z.map(z.int32(), Money).default(() => new Map()),
    attributes: z.record(z.string(), z.json()).optional().meta({ protobuf: 'google.protobuf.Struct' }),
    addedAt: z.date().optional(),
    warranty: z.string().optional().meta({ protobuf: 'google.protobuf.Duration' }),
    note: z.string().optional().meta({ protobuf: 'google.protobuf.StringValue' }),
    weight: z.int64().optional().meta({ protobuf: 'google.protobuf.Int64Value' }),
    fragile: z.boolean().optional().meta({ protobuf: 'google.protobuf.BoolValue' }),
    picture: z.instanceof(Uint8Array).default(() => new Uint8Array()),
    dimensions: ProductDimensions.optional(),
    history: z.array(z.int64().meta({ protobuf: 'sint64' })).default([]),
    get parts(): z.ZodDefault<z.ZodArray<typeof Product>> {
      return z.array(Product).default([])
    },
    serial: z.uint64().default(0n).meta({ protobuf: 'fixed64' }),
    hidden: z.boolean().optional(),
  })
  .meta({ id: 'Product' })

export const OrderLine = z
  .object({
    sku: z.string().default(''),
    quantity: z.int32().default(0),
  })
  .meta({ id: 'Order.Line' })

export const OrderCard = z
  .object({
    number: z.string().default(''),
  })
  .meta({ id: 'Order.Card' })

export const Empty = z.object({}).meta({ id: 'google.protobuf.Empty' })

export const Order = z
  .object({
    lines: z.array(OrderLine).default([]),
    card: OrderCard.optional().meta({ oneof: 'payment' }),
    iban: z.string().optional().meta({ oneof: 'payment' }),
    cash: Empty.optional().meta({ protobuf: 'google.protobuf.Empty', oneof: 'payment' }),
  })
  .meta({ id: 'Order' })

export const Receipt = z
  .object({
    number: z.uint64().default(0n),
    total: Money.optional(),
    paidBy: z.string().default(''),
  })
  .meta({ id: 'Receipt' })

export const ListProductsRequest = z
  .object({
    count: z.int32().default(0),
    failAfter: z.int32().default(0),
    padding: z.int32().default(0),
  })
  .meta({ id: 'ListProductsRequest' })

export const ImportSummary = z
  .object({
    count: z.int32().default(0),
    countByKind: z.record(z.string(), z.int32()).default({}),
    skus: z.array(z.string()).default([]),
  })
  .meta({ id: 'ImportSummary' })

export const Bid = z
  .object({
    amount: z.int64().default(0n).meta({ protobuf: 'sint64' }),
  })
  .meta({ id: 'Bid' })

export const Offer = z
  .object({
    amount: z.int64().default(0n).meta({ protobuf: 'sint64' }),
    accepted: z.boolean().default(false),
  })
  .meta({ id: 'Offer' })

export const PrepareRequest = z
  .object({
    time: z.string().optional().meta({ protobuf: 'google.protobuf.Duration' }),
    order: z.string().default(''),
  })
  .meta({ id: 'PrepareRequest' })

export const WatchPricesRequest = z
  .object({
    order: z.string().default(''),
  })
  .meta({ id: 'WatchPricesRequest' })

export const ReadJournalRequest = z
  .object({
    order: z.string().default(''),
  })
  .meta({ id: 'ReadJournalRequest' })

export const Journal = z
  .object({
    order: z.string().default(''),
    canceled: z.boolean().default(false),
    inAHurry: z.boolean().default(false),
  })
  .meta({ id: 'Journal' })

export const Shop = contract(
  'demo.shop.v1',
  {
    getProduct: call({ input: GetProductRequest, output: Product }),
    putProduct: call({
      doc: 'Answers with the same product, so that a client sees what arrived.',
      input: Product,
      output: Product,
    }),
    placeOrder: call({ input: Order, output: Receipt }),
    listProducts: call({ input: ListProductsRequest, output: stream(Product) }),
    importProducts: call({ input: stream(Product), output: ImportSummary }),
    haggle: call({ input: stream(Bid), output: stream(Offer) }),
    prepare: call({ doc: 'Takes as long as it is told.', input: PrepareRequest }),
    watchPrices: call({
      doc: 'Goes on until nobody listens.',
      input: WatchPricesRequest,
      output: stream(Offer),
    }),
    readJournal: call({
      doc:
        'What the server has seen of a call that ended early: whether it was canceled, and had less than ' +
        'ten seconds.',
      input: ReadJournalRequest,
      output: Journal,
    }),
  },
  { doc: 'Sells products.', lock },
)
