/** Values of google/protobuf as grpc-js has them, and as the application wants them. */
import type { Money, Order, Product } from '../shop-client.ts'

interface Time {
  readonly seconds: string
  readonly nanos: number
}

/** What proto-loader makes of a Product, as far as it differs from the application's. */
type Received = Omit<
  Product,
  'addedAt' | 'warranty' | 'note' | 'weight' | 'fragile' | 'picture' | 'attributes'
> & {
  readonly attributes: Struct | null
  readonly addedAt: Time | null
  readonly warranty: Time | null
  readonly note: { readonly value: string } | null
  readonly weight: { readonly value: string } | null
  readonly fragile: { readonly value: boolean } | null
  readonly picture: Buffer
}

export function productOf(received: Received): Product {
  const { attributes, addedAt, warranty, note, weight, fragile, picture, parts, dimensions, price, ...rest } =
    received
  const { hidden, sku, name, kind, tags, stock, priceByQuantity, history, serial } = rest
  return {
    sku,
    name,
    kind,
    ...(price ? { price } : {}),
    tags,
    stock,
    priceByQuantity,
    ...(attributes === null ? {} : { attributes: jsonOfStruct(attributes) }),
    ...(addedAt === null ? {} : { addedAt: new Date(milliseconds(addedAt)).toISOString() }),
    ...(warranty === null ? {} : { warranty: milliseconds(warranty) / 1000 }),
    ...(note === null ? {} : { note: note.value }),
    ...(weight === null ? {} : { weight: weight.value }),
    ...(fragile === null ? {} : { fragile: fragile.value }),
    picture: picture.toString('base64'),
    ...(dimensions ? { dimensions: dimensionsOf(dimensions) } : {}),
    history,
    parts: parts.map((part) => productOf(part as unknown as Received)),
    serial,
    ...(hidden === undefined ? {} : { hidden }),
  }
}

function dimensionsOf({ length, width, height }: NonNullable<Product['dimensions']>): Product['dimensions'] {
  return { length, width, ...(height === undefined ? {} : { height }) }
}

export function productToSend(product: Product): unknown {
  const { attributes, addedAt, warranty, note, weight, fragile, picture, parts, ...rest } = product
  return {
    ...rest,
    attributes: attributes === undefined ? undefined : structOf(attributes as Record<string, unknown>),
    addedAt: addedAt === undefined ? undefined : timeOf(Date.parse(addedAt)),
    warranty: warranty === undefined ? undefined : timeOf(warranty * 1000),
    note: note === undefined ? undefined : { value: note },
    weight: weight === undefined ? undefined : { value: weight },
    fragile: fragile === undefined ? undefined : { value: fragile },
    picture: Buffer.from(picture, 'base64'),
    parts: parts.map(productToSend),
  }
}

export function orderToSend({ lines, card, iban, cash }: Order): unknown {
  return {
    lines,
    ...(card === undefined ? {} : { card: { number: card } }),
    ...(iban === undefined ? {} : { iban }),
    ...(cash === undefined ? {} : { cash: {} }),
  }
}

export function receiptOf({
  number,
  total,
  paidBy,
}: {
  number: string
  total: Money | null
  paidBy: string
}): unknown {
  return { number, total, paidBy }
}

/** Of milliseconds; before 1970 nanoseconds still count forward, and durations here are not negative. */
export function timeOf(time: number): Time {
  const seconds = Math.floor(time / 1000)
  return { seconds: String(seconds), nanos: Math.round((time - seconds * 1000) * 1e6) }
}

function milliseconds({ seconds, nanos }: Time): number {
  return Number(seconds) * 1000 + nanos / 1e6
}

interface Struct {
  readonly fields: Readonly<Record<string, Value>>
}

type Value = {
  readonly kind: 'nullValue' | 'numberValue' | 'stringValue' | 'boolValue' | 'structValue' | 'listValue'
  readonly numberValue: number
  readonly stringValue: string
  readonly boolValue: boolean
  readonly structValue: Struct
  readonly listValue: { readonly values: readonly Value[] }
}

function jsonOfStruct({ fields }: Struct): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, jsonOf(value)]))
}

function jsonOf(value: Value): unknown {
  if (value.kind === 'nullValue') return null
  if (value.kind === 'structValue') return jsonOfStruct(value.structValue)
  return value.kind === 'listValue' ? value.listValue.values.map(jsonOf) : value[value.kind]
}

function structOf(json: Record<string, unknown>): unknown {
  return { fields: Object.fromEntries(Object.entries(json).map(([name, value]) => [name, valueOf(value)])) }
}

function valueOf(json: unknown): unknown {
  if (json === null) return { nullValue: 'NULL_VALUE' }
  if (typeof json === 'number') return { numberValue: json }
  if (typeof json === 'string') return { stringValue: json }
  if (typeof json === 'boolean') return { boolValue: json }
  if (Array.isArray(json)) return { listValue: { values: json.map(valueOf) } }
  return { structValue: structOf(json as Record<string, unknown>) }
}
