/**
 * The bodies of a server that have come in part, of all its connections together: which of them may grow, and which
 * gives way when they are as large as they may be.
 *
 * Waiting would not do: bodies that each keep a part and wait for the others' memory wait for ever, and a peer that
 * stops before its last byte could make all others wait. So one is refused, at once, and its bytes are free:
 *
 * 1. the one that has not grown for the longest time, if that is 2 seconds or more: whoever only holds memory loses it
 *    to whoever sends;
 * 2. else the one that was begun last, perhaps the one that wants to grow: so those begun first are completed, and a
 *    server that has more to do than it can does not only half of everything.
 *
 * One that is alone may always grow. So what is kept is at most `limit` and one body.
 */

/** The account of one body. */
export interface PartialBody {
  /** Counts bytes as kept. Returns false when this body is the one that gives way, now or since before. */
  take(size: number): boolean
  /** Bytes are not kept any more. */
  give(size: number): void
  /** Nothing is kept any more, and nothing will be. */
  close(): void
}

/** How long a body may stand still before it is the first to give way, in milliseconds. */
const patience = 2_000

export class PartialBodies {
  /** Bytes that are kept now. */
  held = 0
  readonly #limit: number
  readonly #now: () => number
  /** Those that keep something, the one that has not grown for longest first. */
  readonly #byGrowth = new Set<Account>()
  /** The same ones, linked in the order in which they were begun. */
  #youngest: Account | undefined

  /**
   * @param limit In bytes.
   * @param now Monotonic milliseconds.
   */
  constructor(limit: number, now: () => number = () => performance.now()) {
    this.#limit = limit
    this.#now = now
  }

  /**
   * An account for a body of which nothing is kept yet. `onRefused` is called when it gives way, once and never from
   * within a call of the account's: what was kept must then be forgotten.
   */
  open(onRefused: () => void): PartialBody {
    return new Account(this, onRefused)
  }

  /** The account's. */
  take(account: Account, size: number): boolean {
    if (account.closed) return false
    if (size === 0) return true
    const now = this.#now()
    while (this.held + size > this.#limit) {
      const victim = this.#victim(account, now)
      if (victim === undefined) break
      victim.refuse()
      if (victim === account) return false
    }

    if (account.held === 0) this.#link(account)
    else this.#byGrowth.delete(account)
    this.#byGrowth.add(account)
    account.grown = now
    account.held += size
    this.held += size
    return true
  }

  /** The account's. */
  give(account: Account, size: number): void {
    if (account.held === 0 || size === 0) return
    account.held -= size
    this.held -= size
    if (account.held > 0) return
    this.#byGrowth.delete(account)
    this.#unlink(account)
  }

  /** Who gives way; `undefined` when the one that asks is alone. */
  #victim(asking: Account, now: number): Account | undefined {
    for (const each of this.#byGrowth) {
      if (each === asking) continue
      if (now - each.grown >= patience) return each
      return asking.held === 0 ? asking : this.#youngest
    }
    return undefined
  }

  #link(account: Account): void {
    account.older = this.#youngest
    if (this.#youngest !== undefined) this.#youngest.younger = account
    this.#youngest = account
  }

  #unlink(account: Account): void {
    const { older, younger } = account
    if (older !== undefined) older.younger = younger
    if (younger === undefined) this.#youngest = older
    else younger.older = older
    account.older = undefined
    account.younger = undefined
  }
}

class Account implements PartialBody {
  held = 0
  /** Monotonic milliseconds at which it last grew. */
  grown = 0
  older: Account | undefined
  younger: Account | undefined
  closed = false
  readonly #all: PartialBodies
  readonly #onRefused: () => void

  constructor(all: PartialBodies, onRefused: () => void) {
    this.#all = all
    this.#onRefused = onRefused
  }

  take(size: number): boolean {
    return this.#all.take(this, size)
  }

  give(size: number): void {
    this.#all.give(this, size)
  }

  close(): void {
    this.closed = true
    this.give(this.held)
  }

  refuse(): void {
    this.close()
    // Somebody else's bytes are being read: whatever the refusal leads to comes after that.
    queueMicrotask(this.#onRefused)
  }
}
