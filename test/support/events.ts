/** Waiting for what happens, never for time. */

/** A promise with its ends outside. */
export interface Signal<T = void> {
  readonly promise: Promise<T>
  resolve(value: T): void
  reject(why: unknown): void
}

export function signal<T = void>(): Signal<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  promise.catch(() => undefined)
  return { promise, resolve, reject }
}

/** Asks again, turn by turn of the event loop, until a condition holds; fails after `limit` milliseconds. */
export async function until(condition: () => boolean, what: string, limit = 20_000): Promise<void> {
  const end = performance.now() + limit
  while (!condition()) {
    if (performance.now() > end) throw new Error(`never happened within ${limit} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
