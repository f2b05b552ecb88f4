/** What the application asks of its shop, and all that a client can see of an answer. Values are plain JSON. */

export interface Money {
  readonly currency: string
  /** A 64-bit integer. */
  readonly units: string
  readonly nanos: number
}

export interface Product {
  readonly sku: string
  readonly name: string
  readonly kind: string
  readonly price?: Money
  readonly tags: readonly string[]
  readonly stock: Readonly<Record<string, number>>
  readonly priceByQuantity: Readonly<Record<string, Money>>
  readonly attributes?: unknown
  /** RFC 3339. */
  readonly addedAt?: string
  /** Seconds. */
  readonly warranty?: number
  readonly note?: string
  readonly weight?: string
  readonly fragile?: boolean
  /** Base64. */
  readonly picture: string
  readonly dimensions?: { readonly length: number; readonly width: number; readonly height?: number }
  readonly history: readonly string[]
  readonly parts: readonly Product[]
  readonly serial: string
  readonly hidden?: boolean
}

export interface Order {
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[]
  readonly card?: string
  readonly iban?: string
  readonly cash?: true
}

export interface Offer {
  readonly amount: string
  readonly accepted: boolean
}

export interface Journal {
  readonly order: string
  readonly canceled: boolean
  readonly inAHurry: boolean
}

/** Names and values; those of names in -bin in base64. */
export type Pairs = readonly (readonly [string, string])[]

export interface Seen<T = unknown> {
  /** What came, one value for a unary call. */
  readonly values: readonly T[]
  /** gRPC's number. */
  readonly code: number
  readonly message: string
  /** Of the application's own metadata only. */
  readonly headers: Pairs
  readonly trailers: Pairs
}

export interface Settings {
  readonly metadata?: Pairs
  /** Milliseconds. */
  readonly timeout?: number
  readonly signal?: AbortSignal
}

export interface ShopClient {
  getProduct(sku: string, settings?: Settings): Promise<Seen<Product>>
  putProduct(product: Product, settings?: Settings): Promise<Seen<Product>>
  placeOrder(order: Order): Promise<Seen>
  listProducts(
    request: { readonly count: number; readonly failAfter?: number; readonly padding?: number },
    settings?: Settings,
  ): Promise<Seen<Product>>
  importProducts(products: Iterable<Product>, settings?: Settings): Promise<Seen>
  /** `next` gets the offer that was made last, and gives the next bid; none ends the bidding. */
  haggle(next: (offer: Offer | undefined) => number | undefined): Promise<Seen<Offer>>
  prepare(order: string, seconds: number, settings?: Settings): Promise<Seen>
  /** `each` gets what comes as it comes. */
  watchPrices(order: string, each: (offer: Offer) => void, settings?: Settings): Promise<Seen<Offer>>
  readJournal(order: string, settings?: Settings): Promise<Seen<Journal>>
  close(): void
}

/**
 * The application's own metadata, in an order that no peer promises across names. Values of one name are joined, as HTTP
 * allows to everybody on the way, and as node:http2 below grpc-js does.
 */
export function ownPairs(pairs: Iterable<readonly [string, string | Uint8Array]>): Pairs {
  const byName = new Map<string, string[]>()
  for (const [name, value] of pairs) {
    if (!name.startsWith('x-')) continue
    const text = typeof value === 'string' ? value : Buffer.from(value).toString('base64')
    byName.set(name, [...(byName.get(name) ?? []), text])
  }
  const names = [...byName.keys()].toSorted()
  return names.map((name) => [name, (byName.get(name) as string[]).join(', ')])
}
