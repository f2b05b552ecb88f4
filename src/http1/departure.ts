/**
 * How a server's connection parts from its peer when neither of them says so at once: a server that drains waits a moment
 * for a request that is on its way, and a peer that has closed its half is asked whether it is there at all.
 */
import { HttpHeaders } from '../http/headers.ts'
import type { ServerExchange } from './server-exchange.ts'

/** A connection that may end between two requests. */
export interface Departing {
  /** No request is being served, and no byte of another has come. */
  readonly betweenRequests: boolean
  /** Says that nothing more follows. */
  finish(): void
}

/**
 * Finishes a connection that is between requests after `delay` milliseconds, unless a request comes: one may be on its
 * way, whose sender could not know. It is answered, and is the last.
 */
export function finishWhenQuiet(connection: Departing, delay: number): void {
  setTimeout(() => {
    if (connection.betweenRequests) connection.finish()
  }, delay)
}

/** How long after the first question the second comes, in milliseconds, and the longest time between two. */
const firstProbe = 50
const longestProbe = 5_000

/**
 * A peer that closed its half may wait for its answer, or be gone: both look alike until something is sent. Clients must
 * read informational answers that they did not expect (RFC 9110 section 15.2); one that is gone replies with a reset.
 */
const stillThere = { status: 102, headers: new HttpHeaders() }

/**
 * Asks a peer that has closed its half whether it is there. The first answer to nobody brings a reset, which only the
 * next write reports, since an ended stream is not read any more. Stops once the answer itself is on its way, or when
 * the exchange is not `served` any more.
 */
export function probe(exchange: ServerExchange, served: () => boolean, wait: number = firstProbe): void {
  if (exchange.started || !served()) return
  exchange.inform(stillThere)
  setTimeout(() => probe(exchange, served, Math.min(wait * 2, longestProbe)), wait).unref()
}
