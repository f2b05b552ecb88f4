// Compares systems that are each a server process and a client process. All are alive at once and take turns
// (A B C A B C …); servers run on core 0, clients on core 1; the first system is ours.

import { join } from 'node:path'
import { startChild, type Child } from './child.ts'
import { CORES } from './pin.ts'
import { figure, ratio, table } from './markdown.ts'
import { cpuMicroseconds, residentBytes } from './proc.ts'
import type { Turn } from './client-process.ts'
import type { Effort, Result, Scenario, Target } from './scenario.ts'
import { ratios, spread } from './statistics.ts'

/** A server program and a client program, paths within bench/; the client gets the server's port or URL as its last argument. */
export interface System {
  name: string
  server: readonly string[]
  client: readonly string[]
  /** What it does more or less than ours. */
  note?: string
}

/** A promise of ours against another system, as a ratio of medians over the rounds. */
export interface Promised {
  against: string
  concurrency: number
  /** `rate` is calls per second; the others are CPU time per call. */
  of: 'rate' | 'server CPU' | 'client CPU' | 'CPU'
  /** Times better than the other: more calls, or less time. */
  atLeast: number
}

/** What `paired` takes. */
export interface Paired {
  title: string
  about: string
  systems: readonly System[]
  concurrency: readonly number[]
  promises: readonly Promised[]
}

/** One turn of one system, with the CPU time of both sides per call. */
export interface PairTurn extends Turn {
  rate: number
  serverCpu: number
  clientCpu: number
}

interface Pair {
  system: System
  server: Child
  client: Child
}

/** A scenario of process pairs. */
export function paired(options: Paired): Scenario {
  const notes = options.systems
    .filter((system) => system.note)
    .map((system) => `${system.name}: ${system.note}`)

  return {
    title: options.title,
    about: [options.about, ...notes].join(' '),
    run: async (effort) => {
      const pairs: Pair[] = []

      try {
        for (const system of options.systems) pairs.push(await startPair(system))
        return await measure(pairs, options, effort)
      } finally {
        await Promise.all(pairs.flatMap((pair) => [pair.client.stop(), pair.server.stop()]))
      }
    },
  }
}

async function startPair(system: System): Promise<Pair> {
  const server = await startChild(CORES.server, inBench(system.server))
  const to = String(server.ready['url'] ?? server.ready['port'])

  try {
    const client = await startChild(CORES.client, [...inBench(system.client), to])
    return { system, server, client }
  } catch (error) {
    await server.stop()
    throw error
  }
}

function inBench([program = '', ...args]: readonly string[]): string[] {
  return [join(import.meta.dirname, '..', program), ...args]
}

async function measure(pairs: readonly Pair[], options: Paired, effort: Effort): Promise<Result> {
  const sections: string[] = []
  const targets: Target[] = []

  for (const concurrency of options.concurrency) {
    const turns = await rounds(pairs, concurrency, effort)
    sections.push(render(pairs, concurrency, turns))

    for (const promise of options.promises) {
      if (promise.concurrency !== concurrency) continue
      const other = turns.get(promise.against)
      if (other === undefined) throw new Error(`There is no system ${promise.against} in this scenario`)

      const [ours] = turns.values()
      const better = promise.of === 'rate' ? 'more calls per second' : `less ${promise.of} per call`
      targets.push({
        what: `${better} than ${promise.against}, ${concurrency} concurrent`,
        measured: ratios(cost(ours!, promise.of), cost(other, promise.of)).median,
        atLeast: promise.atLeast,
      })
    }
  }

  return { report: sections.join('\n\n'), targets }
}

async function rounds(
  pairs: readonly Pair[],
  concurrency: number,
  effort: Effort,
): Promise<Map<string, PairTurn[]>> {
  const turns = new Map<string, PairTurn[]>(pairs.map((pair) => [pair.system.name, []]))
  const milliseconds = effort.seconds * 1000

  for (const pair of pairs) await oneTurn(pair, concurrency, Math.max(milliseconds, 1000))

  for (let round = 0; round < effort.rounds; round++) {
    for (const pair of pairs)
      turns.get(pair.system.name)!.push(await oneTurn(pair, concurrency, milliseconds))
    process.stderr.write(`\r${concurrency} concurrent: round ${round + 1} of ${effort.rounds} `)
  }

  process.stderr.write('\n')
  return turns
}

async function oneTurn(pair: Pair, concurrency: number, milliseconds: number): Promise<PairTurn> {
  const server = cpuMicroseconds(pair.server.pid)
  const client = cpuMicroseconds(pair.client.pid)
  const turn = (await pair.client.ask({ run: { concurrency, milliseconds } })) as Turn

  if (turn.errors > 0 || turn.calls === 0) {
    const what = `${turn.errors} of ${turn.calls + turn.errors} replies were wrong or missing`
    throw new Error(`${pair.system.name}: ${what}: this is no measurement`)
  }

  return {
    ...turn,
    rate: turn.calls / (turn.milliseconds / 1000),
    serverCpu: (cpuMicroseconds(pair.server.pid) - server) / turn.calls,
    clientCpu: (cpuMicroseconds(pair.client.pid) - client) / turn.calls,
  }
}

/** What a system needs per call, a round each: the less the better. */
function cost(turns: readonly PairTurn[], of: Promised['of']): number[] {
  return turns.map((turn) => {
    if (of === 'rate') return 1 / turn.rate
    if (of === 'server CPU') return turn.serverCpu
    if (of === 'client CPU') return turn.clientCpu
    return turn.serverCpu + turn.clientCpu
  })
}

function render(pairs: readonly Pair[], concurrency: number, turns: Map<string, PairTurn[]>): string {
  const head = [
    `${concurrency} concurrent`,
    'calls/s',
    'rate: ours is better by',
    'CPU µs per call, server / client',
    'CPU: ours needs less by',
    'p50 ms',
    'p99 ms',
    'RSS MB, server / client',
  ]

  const [ours] = turns.values()
  const rows = pairs.map((pair, index) => {
    const theirs = turns.get(pair.system.name)!
    const median = (key: keyof PairTurn): number => spread(theirs.map((turn) => turn[key])).median
    const memory = [pair.server.pid, pair.client.pid].map((pid) => Math.round(residentBytes(pid) / 2 ** 20))

    return [
      pair.system.name,
      figure(median('rate')),
      index === 0 ? '' : ratio(ratios(cost(ours!, 'rate'), cost(theirs, 'rate'))),
      `${figure(median('serverCpu'))} / ${figure(median('clientCpu'))}`,
      index === 0 ? '' : ratio(ratios(cost(ours!, 'CPU'), cost(theirs, 'CPU'))),
      figure(median('p50')),
      figure(median('p99')),
      memory.join(' / '),
    ]
  })

  return table([head, ...rows])
}
