/**
 * Rate, errors and duration of calls, in Prometheus' text format (version 0.0.4).
 *
 * HOT PATH: one lookup and a few additions a call. Guarded by `bench/scenarios/trunk`.
 */
import type { Call, Outcome } from '../call/call.ts'
import { clock } from '../call/clock.ts'
import type { Filter } from '../call/handler.ts'
import type { CallOperation } from '../contract/operation.ts'

/** Upper bounds of the duration's buckets, in seconds. */
const bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Calls of one operation over one wire. */
class Series {
  readonly operation: CallOperation
  readonly wire: string
  active = 0
  sum = 0
  /** Calls that ended well; the others are in `failures`, by code. */
  succeeded = 0
  readonly failures = new Map<string, number>()
  readonly buckets: number[] = bounds.map(() => 0)
  count = 0

  constructor(operation: CallOperation, wire: string) {
    this.operation = operation
    this.wire = wire
  }

  ended({ error }: Outcome, seconds: number): void {
    this.active--
    this.count++
    this.sum += seconds
    if (error === undefined) this.succeeded++
    else this.failures.set(error.code, (this.failures.get(error.code) ?? 0) + 1)

    let bucket = 0
    while (bucket < bounds.length && seconds > (bounds[bucket] as number)) bucket++
    if (bucket < bounds.length) this.buckets[bucket] = (this.buckets[bucket] as number) + 1
  }

  /** Calls that have ended, by code. */
  *codes(): Iterable<[string, number]> {
    if (this.succeeded > 0) yield ['ok', this.succeeded]
    yield* this.failures
  }
}

/** Counts the calls that pass its filter. */
export class CallMetrics {
  readonly #series = new Map<CallOperation, Map<string, Series>>()
  /** The last one found: calls in a row are mostly of one operation. */
  #last: Series | undefined

  readonly filter: Filter = (next) => (call) => {
    const series = this.#of(call)
    const started = clock.now()
    series.active++
    call.onEnd((outcome) => series.ended(outcome, (clock.read() - started) / 1000))
    return next(call)
  }

  #of(call: Call): Series {
    const wire = call.peer?.wire ?? ''
    const last = this.#last
    if (last !== undefined && last.operation === call.operation && last.wire === wire) return last
    let wires = this.#series.get(call.operation)
    if (wires === undefined) this.#series.set(call.operation, (wires = new Map()))
    let series = wires.get(wire)
    if (series === undefined) wires.set(wire, (series = new Series(call.operation, wire)))
    this.#last = series
    return series
  }

  /** What a scrape reads. */
  text(): string {
    const all = [...this.#series.values()].flatMap((wires) => [...wires.values()])
    const lines: string[] = []
    const family = (
      name: string,
      type: string,
      help: string,
      samples: (series: Series, labels: string) => string[],
    ) => {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`)
      for (const series of all) lines.push(...samples(series, labelsOf(series)))
    }

    family('trunkline_calls_total', 'counter', 'Calls that have ended, by status code.', (series, labels) =>
      Array.from(
        series.codes(),
        ([code, count]) => `trunkline_calls_total{${labels},code="${code}"} ${count}`,
      ),
    )
    family('trunkline_calls_active', 'gauge', 'Calls that are open.', ({ active }, labels) => [
      `trunkline_calls_active{${labels}} ${active}`,
    ])
    family('trunkline_call_duration_seconds', 'histogram', 'How long calls took.', histogram)
    return `${lines.join('\n')}\n`
  }
}

function histogram({ buckets, count, sum }: Series, labels: string): string[] {
  const name = 'trunkline_call_duration_seconds'
  let below = 0
  const lines = buckets.map((within, index) => {
    below += within
    return `${name}_bucket{${labels},le="${bounds[index]}"} ${below}`
  })
  return [
    ...lines,
    `${name}_bucket{${labels},le="+Inf"} ${count}`,
    `${name}_sum{${labels}} ${sum}`,
    `${name}_count{${labels}} ${count}`,
  ]
}

/** Names of contracts, operations and wires have no character that would need escaping. */
function labelsOf({ operation, wire }: Series): string {
  return `contract="${operation.contract.name}",operation="${operation.name}",wire="${wire}"`
}
