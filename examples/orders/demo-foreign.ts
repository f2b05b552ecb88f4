/** Calls that are not the demo's own: whoever calls its servers with curl, the command line or a browser. */
import type { Filter } from 'trunkline'

/** What the demo's own clients send with every call. */
export const ownMark = 'x-demo-client'

export interface ForeignCall {
  /** The wire's own name: `trunk`, `grpc`, `rest`. */
  readonly wire: string
  readonly milliseconds: number
  readonly failed: boolean
}

/** From a server's process to the demo. */
export interface ForeignCalls {
  readonly foreign: readonly ForeignCall[]
}

/** How long calls are gathered, in milliseconds: a message for each would slow down whoever measures. */
const gathering = 200

/** Tells of each call without the mark, when it has ended. */
export function tellForeign(tell: (calls: ForeignCalls) => void): Filter {
  let gathered: ForeignCall[] = []

  const flush = () => {
    tell({ foreign: gathered })
    gathered = []
  }

  return (next) => (call) => {
    if (call.metadata.has(ownMark)) return next(call)

    const started = performance.now()
    call.onEnd(({ error }) => {
      if (gathered.length === 0) setTimeout(flush, gathering).unref()
      gathered.push({
        wire: call.peer?.wire ?? 'unknown',
        milliseconds: performance.now() - started,
        failed: error !== undefined,
      })
    })
    return next(call)
  }
}

/** What a message from a server's process says of foreign calls. */
export function foreignCallsOf(message: unknown): readonly ForeignCall[] {
  return (message as Partial<ForeignCalls> | null)?.foreign ?? []
}

/** How people write the names of wires. */
const written: Readonly<Record<string, string>> = { grpc: 'gRPC', rest: 'REST' }

/** The row of the table that they are counted in. */
export function foreignRow(wire: string): string {
  return `${written[wire] ?? wire}, others`
}
