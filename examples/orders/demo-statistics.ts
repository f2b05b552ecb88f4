/** How many calls there were, how long they took, and how many failed: by wire and server, a second at a time. */

export interface Row {
  readonly wire: string
  readonly server: string
  /** Calls of the last interval, a second. */
  readonly rate: number
  /** Milliseconds; NaN when nothing was called. */
  readonly p50: number
  readonly p99: number
  /** Since the beginning. */
  readonly calls: number
  readonly faults: number
}

interface Counted {
  readonly wire: string
  readonly server: string
  calls: number
  faults: number
  latencies: number[]
}

export class Statistics {
  readonly #rows = new Map<string, Counted>()

  record(wire: string, server: string, milliseconds: number, failed: boolean): void {
    const key = `${wire} ${server}`
    let row = this.#rows.get(key)
    if (row === undefined) {
      row = { wire, server, calls: 0, faults: 0, latencies: [] }
      this.#rows.set(key, row)
    }

    row.calls++
    if (failed) row.faults++
    row.latencies.push(milliseconds)
  }

  /** The interval that ends now, in seconds; the next one begins. */
  take(seconds: number): readonly Row[] {
    const counted = [...this.#rows.values()].toSorted((one, other) =>
      `${one.wire} ${one.server}`.localeCompare(`${other.wire} ${other.server}`),
    )

    return counted.map((row) => {
      const sorted = row.latencies.toSorted((one, other) => one - other)
      row.latencies = []
      const { wire, server, calls, faults } = row
      return {
        wire,
        server,
        rate: sorted.length / seconds,
        p50: percentile(sorted, 0.5),
        p99: percentile(sorted, 0.99),
        calls,
        faults,
      }
    })
  }
}

/** The smallest value that so many are not above (nearest rank). */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}
