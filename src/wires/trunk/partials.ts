/**
 * HOT PATH of large messages. The messages of a connection that have begun, are waited for and are not complete: which of
 * them may go on. Guarded by `lying-peer.test.ts`.
 *
 * The parts of a message that is waited for are granted again before it is complete, or it could not be larger than a
 * window. If this held for all messages at once a peer could make this side keep `streams` × `messageSize` bytes, by
 * never sending the last one of any. So it holds for `limit` bytes of all of them together, and, beyond that, for the
 * message that was begun first, so that there is always one that can be completed.
 */
export interface Partial {
  /** The order in which messages were begun. */
  readonly begun: number
  /** What its frames cost that has not been granted again. */
  readonly withheld: number
  /** Grants them. */
  proceed(): void
}

export class Partials {
  readonly #limit: number
  readonly #waited = new Set<Partial>()
  #oldest: Partial | undefined
  #begun = 0
  /** Whether some message had to wait, since that was last looked at. */
  #someWait = false
  /** What the frames of incomplete messages cost that was granted again. */
  granted = 0

  /**
   * @param limit In bytes.
   */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** The number of the message that begins. */
  begin(): number {
    return ++this.#begun
  }

  /** A message that has begun is waited for. */
  join(partial: Partial): void {
    if (this.#waited.has(partial)) return
    this.#waited.add(partial)
    if (this.#oldest === undefined || partial.begun < this.#oldest.begun) this.#oldest = partial
  }

  /** Whether `size` bytes of a message that has joined may be granted again now; if not, `proceed` is called later. */
  take(partial: Partial, size: number): boolean {
    if (partial === this.#oldest || this.granted + size <= this.#limit) {
      this.granted += size
      return true
    }
    this.#someWait = true
    return false
  }

  /** A message is complete, or given up; `granted` bytes of it had been granted. */
  leave(partial: Partial, granted: number): void {
    this.granted -= granted
    if (!this.#waited.delete(partial)) return
    if (partial === this.#oldest) this.#oldest = this.#first()
    if (this.#someWait) this.#proceed()
  }

  #first(): Partial | undefined {
    let first: Partial | undefined
    for (const each of this.#waited) if (first === undefined || each.begun < first.begun) first = each
    return first
  }

  #proceed(): void {
    this.#someWait = false
    this.#oldest?.proceed()
    for (const each of this.#waited) {
      if (each.withheld === 0) continue
      if (this.granted + each.withheld <= this.#limit) each.proceed()
      else this.#someWait = true
    }
  }
}
