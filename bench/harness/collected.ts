// A process's memory after a garbage collection; it needs --expose-gc.

/** What is left when everything is collected that can be: what the first collection lets go is gone after the second. */
export async function collected(): Promise<NodeJS.MemoryUsage> {
  for (let i = 0; i < 2; i++) {
    globalThis.gc?.()
    await new Promise((resolve) => setImmediate(resolve))
  }

  return process.memoryUsage()
}
