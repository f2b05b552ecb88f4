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

/** A program within bench/ with its arguments; or a function that builds one that is no Node program, and returns it. */
export type Program = readonly string[] | (() => Promise<readonly string[]>)

/** A server program and a client program; the client gets the server's port or URL as its last argument. */
export interface System {
  name: string
  server: Program
  client: Program
  /** What it does more or less than ours. */
  note?: string
  /** The works it takes part in, where it is not all of them. */
  works?: readonly string[]
}

/** What the clients do in a table: so many callers at once, and which of the works that they know. */
export interface Load {
  concurrency: number
  /** Default: the echo of an Order. */
  work?: string
  /** The table's title; default `64 concurrent`. */
  title?: string
}

/** A promise of ours against another system, as a ratio of medians over the rounds. */
export interface Promised {
  /** Whose promise it is; default the first system's, which is ours. */
  by?: string
  against: string
  concurrency: number
  work?: string
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
  loads: readonly Load[]
  promises: readonly Promised[]
  /** Microseconds of CPU that a call of a system may cost. */
  ceilings?: readonly Ceiling[]
}

/** A promise in microseconds instead of ratios, for what no other system does. */
export interface Ceiling {
  by: string
  concurrency: number
  of: 'server CPU' | 'client CPU'
  atMost: number
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
  const server = await startChild(CORES.server, await commandOf(system.server))
  const to = String(server.ready['url'] ?? server.ready['port'])

  try {
    const client = await startChild(CORES.client, [...(await commandOf(system.client)), to])
    return { system, server, client }
  } catch (error) {
    await server.stop()
    throw error
  }
}

async function commandOf(program: Program): Promise<readonly string[]> {
  if (typeof program === 'function') return program()
  const [file = '', ...args] = program
  return [process.execPath, join(import.meta.dirname, '..', file), ...args]
}

async function measure(pairs: readonly Pair[], options: Paired, effort: Effort): Promise<Result> {
  const sections: string[] = []
  const targets: Target[] = []

  for (const load of options.loads) {
    const able = pairs.filter(({ system }) => system.works?.includes(load.work ?? 'echo') ?? true)
    const turns = await rounds(able, load, effort)
    const of = (name: string): readonly PairTurn[] => {
      const found = turns.get(name)
      if (found === undefined) throw new Error(`There is no system ${name} in ${titleOf(load)}`)
      return found
    }
    sections.push(render(able, load, turns))

    for (const promise of options.promises) {
      if (promise.concurrency !== load.concurrency || promise.work !== load.work) continue
      if (!turns.has(promise.against)) continue
      const ours = promise.by === undefined ? [...turns.values()][0]! : of(promise.by)
      const better = promise.of === 'rate' ? 'more calls per second' : `less ${promise.of} per call`
      targets.push({
        what: `${promise.by === undefined ? '' : `${promise.by}: `}${better} than ${promise.against}, ${titleOf(load)}`,
        measured: ratios(cost(ours, promise.of), cost(of(promise.against), promise.of)).median,
        atLeast: promise.atLeast,
      })
    }

    for (const { by, concurrency, of: side, atMost } of options.ceilings ?? []) {
      if (concurrency !== load.concurrency || load.work !== undefined) continue
      const measured = spread(cost(of(by), side)).median
      targets.push({ what: `${by}: ${side} per call, ${titleOf(load)}`, measured, atMost, unit: ' µs' })
    }
  }

  return { report: sections.join('\n\n'), targets }
}

function titleOf({ title, concurrency }: Load): string {
  return title ?? `${concurrency} concurrent`
}

async function rounds(pairs: readonly Pair[], load: Load, effort: Effort): Promise<Map<string, PairTurn[]>> {
  const turns = new Map<string, PairTurn[]>(pairs.map((pair) => [pair.system.name, []]))
  const milliseconds = effort.seconds * 1000

  for (const pair of pairs) await oneTurn(pair, load, Math.max(milliseconds, 1000))

  for (let round = 0; round < effort.rounds; round++) {
    for (const pair of pairs) turns.get(pair.system.name)!.push(await oneTurn(pair, load, milliseconds))
    process.stderr.write(`\r${titleOf(load)}: round ${round + 1} of ${effort.rounds} `)
  }

  process.stderr.write('\n')
  return turns
}

async function oneTurn(pair: Pair, { concurrency, work }: Load, milliseconds: number): Promise<PairTurn> {
  const server = cpuMicroseconds(pair.server.pid)
  const client = cpuMicroseconds(pair.client.pid)
  const turn = (await pair.client.ask({ run: { concurrency, milliseconds, work } })) as Turn

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

function render(pairs: readonly Pair[], load: Load, turns: Map<string, PairTurn[]>): string {
  const head = [
    titleOf(load),
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
