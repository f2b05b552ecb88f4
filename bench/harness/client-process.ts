// A client's side of the child protocol, a closed loop: so many callers, each of which sends the next call when it has its
// reply. `{"run": {"concurrency": 64, "milliseconds": 1000}}` → `{"calls", "errors", "p50", "p99", "milliseconds"}`.

import { createInterface } from 'node:readline'
import { isEcho, nthOrder, type Order } from '../order.ts'
import { percentile } from './statistics.ts'

/** What one turn found. p50 and p99 in milliseconds, of every sixteenth call. */
export interface Turn {
  /** Replies that were verified. */
  calls: number
  errors: number
  p50: number
  p99: number
  milliseconds: number
}

/** What one turn is asked to do. */
export interface TurnOptions {
  concurrency: number
  milliseconds: number
  /** What each caller does again and again; the echo of an Order where nothing is said. */
  work?: string
}

/** A piece of work: returns how many calls or messages it was worth, and whether all was as it should be. */
export type Work = (n: number) => Promise<{ count: number; good: boolean }>

/** Answers the bench with turns made by a function. */
export function answerTurns(turn: (options: TurnOptions) => Promise<Turn>): void {
  console.log(JSON.stringify({ ready: {} }))

  createInterface({ input: process.stdin })
    .on('close', () => process.exit(0))
    .on('line', async (line) => {
      const { run } = JSON.parse(line) as { run: TurnOptions }
      console.log(JSON.stringify(await turn(run)))
    })
}

/** A client that echoes, each reply compared with what was sent, field by field; and what else it knows, by name. */
export function clientBench(
  echo: (order: Order) => Promise<Order>,
  works: Readonly<Record<string, Work>> = {},
): void {
  answerTurns((options) => {
    const { work = 'echo' } = options
    if (work === 'echo') {
      return closedLoop(options, async (n) => {
        const sent = nthOrder(n)
        return isEcho(sent, await echo(sent)) ? 1 : 0
      })
    }

    const run = works[work]
    if (run === undefined) throw new Error(`this client knows no work ${work}`)
    return closedLoop(options, async (n) => {
      const { count, good } = await run(n)
      return good ? count : 0
    })
  })
}

/** Calls as fast as so many callers can; a call that resolves to less than 1 or rejects is an error. */
export async function closedLoop(
  options: TurnOptions,
  call: (n: number) => Promise<boolean | number>,
): Promise<Turn> {
  const samples: number[] = []
  let calls = 0
  let errors = 0
  let next = 0
  let stopped = false

  const caller = async (): Promise<void> => {
    while (!stopped) {
      const n = next++

      // Reading the clock twice for every call would cost the fast systems 5 percent and the slow ones nothing.
      const started = n % SAMPLE === 0 ? performance.now() : 0
      const good = Number(await call(n).catch(failed))
      if (good > 0) calls += good
      else errors++
      if (started !== 0) samples.push(performance.now() - started)
    }
  }

  const started = performance.now()
  const timer = setTimeout(() => {
    stopped = true
  }, options.milliseconds)

  await Promise.all(Array.from({ length: options.concurrency }, caller))
  clearTimeout(timer)

  samples.sort((a, b) => a - b)
  const milliseconds = performance.now() - started
  return { calls, errors, p50: percentile(samples, 50), p99: percentile(samples, 99), milliseconds }
}

const SAMPLE = 16
let reported = false

function failed(error: unknown): boolean {
  if (!reported) console.error(error)
  reported = true
  return false
}
