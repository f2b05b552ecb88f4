// Memory of a child process after a garbage collection, as its server or client side reports it (started with --expose-gc).

import type { Child } from './child.ts'
import { residentBytes } from './proc.ts'

/** Bytes of a process: on the heap and outside it, and resident. */
export interface Memory {
  /** heapUsed + external, after a collection: what the program holds. */
  held: number
  resident: number
}

/** Asks a child for its memory. */
export async function memoryOf(child: Child): Promise<Memory> {
  const usage = await child.ask({ memory: true })
  return { held: usage['heapUsed'] + usage['external'], resident: residentBytes(child.pid) }
}
