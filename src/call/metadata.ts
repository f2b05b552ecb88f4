/**
 * Call metadata: case-insensitive names, repeated names, `-bin` names with bytes. The same on every wire and in queues.
 *
 * Names follow gRPC's grammar, the narrowest of all wires: `1*( %x30-39 / %x61-7A / "_" / "-" / "." )`; text values are
 * printable ASCII without space at either end, as HTTP would strip it.
 * Follows gRPC's "Protocol over HTTP2" (Custom-Metadata) and RFC 9110 section 5.5.
 */

/** Text, or, under a name that ends in `-bin`, bytes. */
export type MetadataValue = string | Uint8Array
/** Pairs to begin with: another `Metadata`, an object whose values may be lists, or pairs. */
export type MetadataInit =
  | Metadata
  | Readonly<Record<string, MetadataValue | readonly MetadataValue[]>>
  | Iterable<readonly [string, MetadataValue]>

/** Headers that say how a message travels; a wire writes them itself, so metadata may not. */
const wiresOwn = new Set([
  'accept',
  'accept-encoding',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

const nameGrammar = /^[0-9a-z_.-]+$/
const valueGrammar = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$|^$/

/**
 * A list of name–value pairs that travels with a call or a reply.
 *
 * Names are case-insensitive and kept in lower case. A name that ends in `-bin` has bytes as its value, every other
 * name printable ASCII. A name may occur several times; `get` reads the last one, `getAll` all.
 *
 * @example
 * ```ts
 * import { Metadata } from 'trunkline'
 *
 * const metadata = new Metadata({ 'x-tenant': 'acme', 'x-signature-bin': Uint8Array.of(1, 2, 3) })
 * metadata.append('x-tenant', 'other')
 * console.log(metadata.getAll('X-Tenant')) // [ 'acme', 'other' ]
 * ```
 */
export class Metadata {
  /** name, value, name, value … */
  #list: MetadataValue[] = []

  /**
   * @param init Pairs to begin with.
   * @throws TypeError for a name or value that some wire could not carry; the message says which and why.
   */
  constructor(init?: MetadataInit) {
    if (init === undefined) return
    if (init instanceof Metadata) {
      this.#list = init.#list.slice()
      return
    }
    const pairs =
      Symbol.iterator in init ? (init as Iterable<readonly [string, MetadataValue]>) : entriesOf(init)
    for (const [name, value] of pairs) this.append(name, value)
  }

  /** How many pairs there are. */
  get size(): number {
    return this.#list.length / 2
  }

  /** The last value of a name, whatever the case it is written in. */
  get(name: string): MetadataValue | undefined {
    if (this.#list.length === 0) return undefined
    const key = name.toLowerCase()
    for (let i = this.#list.length - 2; i >= 0; i -= 2) if (this.#list[i] === key) return this.#list[i + 1]
    return undefined
  }

  /** The last value of a name if it is text. */
  text(name: string): string | undefined {
    const value = this.get(name)
    return typeof value === 'string' ? value : undefined
  }

  /** All values of a name, in order. */
  getAll(name: string): readonly MetadataValue[] {
    const key = name.toLowerCase()
    const values: MetadataValue[] = []
    for (let i = 0; i < this.#list.length; i += 2) {
      if (this.#list[i] === key) values.push(this.#list[i + 1] as MetadataValue)
    }
    return values
  }

  /** Whether a name occurs. */
  has(name: string): boolean {
    return this.get(name) !== undefined
  }

  /** Replaces all values of a name by one. Throws TypeError as the constructor does. */
  set(name: string, value: MetadataValue): this {
    this.delete(name)
    return this.append(name, value)
  }

  /** Adds a value, keeping those that are there. Throws TypeError as the constructor does. */
  append(name: string, value: MetadataValue): this {
    const key = name.toLowerCase()
    checkName(key)
    checkValue(key, value)
    this.#list.push(key, value)
    return this
  }

  /** Removes all values of a name. */
  delete(name: string): boolean {
    const key = name.toLowerCase()
    const kept: MetadataValue[] = []
    for (let i = 0; i < this.#list.length; i += 2) {
      if (this.#list[i] !== key) kept.push(this.#list[i] as string, this.#list[i + 1] as MetadataValue)
    }
    const found = kept.length !== this.#list.length
    this.#list = kept
    return found
  }

  /** Pairs in order. */
  *entries(): IterableIterator<[string, MetadataValue]> {
    for (let i = 0; i < this.#list.length; i += 2) {
      yield [this.#list[i] as string, this.#list[i + 1] as MetadataValue]
    }
  }

  [Symbol.iterator](): IterableIterator<[string, MetadataValue]> {
    return this.entries()
  }

  /**
   * For wires: adds a pair that came from the network in lower case, unchecked by the grammar above.
   * What another wire could not carry is dropped when it is sent on.
   */
  received(name: string, value: MetadataValue): void {
    this.#list.push(name, value)
  }

  /** For wires: bytes that it takes in the head of a call, as the most generous of them writes it. */
  get headSize(): number {
    let size = 0
    for (const each of this.#list)
      size += 2 + (typeof each === 'string' ? each.length : Math.ceil(each.length / 3) * 4)
    return size
  }

  /** For wires: the pairs as one flat list (name, value, name, value …). Not to be changed. */
  get flat(): readonly MetadataValue[] {
    return this.#list
  }
}

/** Whether a header that came from the network is metadata, and not a header of the wire itself. */
export function isMetadataName(lowerCaseName: string): boolean {
  return (
    !wiresOwn.has(lowerCaseName) &&
    !lowerCaseName.startsWith('grpc-') &&
    !lowerCaseName.startsWith('trunkline-') &&
    !lowerCaseName.startsWith('connect-') &&
    nameGrammar.test(lowerCaseName)
  )
}

function entriesOf(
  init: Readonly<Record<string, MetadataValue | readonly MetadataValue[]>>,
): [string, MetadataValue][] {
  return Object.entries(init).flatMap(([name, value]) =>
    Array.isArray(value)
      ? value.map((each): [string, MetadataValue] => [name, each as MetadataValue])
      : [[name, value as MetadataValue] as [string, MetadataValue]],
  )
}

function checkName(name: string): void {
  if (!nameGrammar.test(name)) {
    throw new TypeError(
      `metadata name ${JSON.stringify(name)}: use letters, digits, "-", "_" and ".", and at least one of them`,
    )
  }

  if (wiresOwn.has(name) || !isMetadataName(name)) {
    throw new TypeError(
      `metadata name "${name}" belongs to the wire itself: choose another, such as "x-${name}"`,
    )
  }
}

function checkValue(name: string, value: MetadataValue): void {
  if (name.endsWith('-bin')) {
    if (value instanceof Uint8Array) return
    throw new TypeError(
      `metadata "${name}": a name in -bin has a Uint8Array as its value, got ${typeof value}`,
    )
  }

  if (typeof value !== 'string') {
    throw new TypeError(
      `metadata "${name}": expected a string, got ${value instanceof Uint8Array ? 'bytes: give it a name that ends in "-bin"' : typeof value}`,
    )
  }

  if (!valueGrammar.test(value)) {
    throw new TypeError(
      `metadata "${name}": only printable ASCII without space at either end travels on every wire; ` +
        `encode the value, or send it as bytes under "${name}-bin"`,
    )
  }
}
