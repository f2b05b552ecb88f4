// Memory of a child process after a garbage collection, as its server or client side reports it (started with --expose-gc).

import type { Child } from './child.ts'
import { residentBytes } from './proc.ts'

/** Bytes of a process: on the heap and outside it, and resident. */
export interface Memory {
  /** heapUsed + external, after a collection: what the program holds. */
  held: number
  /** heapTotal + external: what V8 keeps of the system's memory. The rest of what is resident is code, stacks and malloc's. */
  reserved: number
  resident: number
}

/** Asks a child for its memory. */
export async function memoryOf(child: Child): Promise<Memory> {
  const usage = await child.ask({ memory: true })
  const { heapUsed, heapTotal, external } = usage as NodeJS.MemoryUsage
  return { held: heapUsed + external, reserved: heapTotal + external, resident: residentBytes(child.pid) }
}
