/** HOT PATH. Header fields as one flat list: name, value, name, value …; names in lower case (RFC 9110 section 5). */
export class HttpHeaders {
  /** Not to be changed by readers. */
  readonly list: string[]

  constructor(list: string[] = []) {
    this.list = list
  }

  /** The first value of a name given in lower case. */
  get(name: string): string | undefined {
    const { list } = this
    for (let i = 0; i < list.length; i += 2) if (list[i] === name) return list[i + 1]
    return undefined
  }

  /** All values of a name, joined with commas as RFC 9110 section 5.3 allows; `undefined` when there is none. */
  combined(name: string): string | undefined {
    const { list } = this
    let all: string | undefined
    for (let i = 0; i < list.length; i += 2) {
      if (list[i] === name) all = all === undefined ? (list[i + 1] as string) : `${all}, ${list[i + 1]}`
    }
    return all
  }

  has(name: string): boolean {
    return this.get(name) !== undefined
  }

  /** Adds a field; the name must be in lower case. */
  add(name: string, value: string): this {
    this.list.push(name, value)
    return this
  }

  *[Symbol.iterator](): IterableIterator<[string, string]> {
    for (let i = 0; i < this.list.length; i += 2) yield [this.list[i] as string, this.list[i + 1] as string]
  }
}
