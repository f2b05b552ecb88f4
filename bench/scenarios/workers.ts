// Whether `trunkline serve --workers 2` doubles what a server can: what a call costs, and who has it.

import { readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { startChild } from '../harness/child.ts'
import type { Turn } from '../harness/client-process.ts'
import { figure, table } from '../harness/markdown.ts'
import { cpuMicroseconds } from '../harness/proc.ts'
import type { Scenario, Target } from '../harness/scenario.ts'
import { spread } from '../harness/statistics.ts'

const bench = join(import.meta.dirname, '..')
const wires = { gRPC: 'grpc', trunk: 'trunk', REST: 'http' }
const concurrency = 256

interface Served {
  child: ChildProcess
  authority: string
  /** The processes that serve. */
  pids: readonly number[]
}

interface Found {
  rate: number
  cpu: number
  /** Of what all workers did and have, the first one's part. */
  cpuShare: number
  connectionShare: number
}

const scenario: Scenario = {
  title: 'Two workers',
  about:
    '`trunkline serve` with one worker and with two, echo of the reference Order by two client processes with 32 connections each and ' +
    `${concurrency} calls at once. Nobody is pinned: on two cores the clients take their part of them, and calls a second say little. ` +
    'What a worker more is worth is seen from the CPU time of a call, which must stay what it is, and from how connections and ' +
    'work are shared.',

  run: async (effort) => {
    const rows = [
      [
        '',
        'calls/s',
        'server CPU µs per call',
        'connections of the first worker',
        'CPU time of the first worker',
      ],
    ]
    const targets: Target[] = []

    for (const [name, scheme] of Object.entries(wires)) {
      const one = await measure(scheme, 1, effort.rounds, effort.seconds)
      const two = await measure(scheme, 2, effort.rounds, effort.seconds)
      const row = (workers: number, found: readonly Found[]): string[] => {
        const middle = (key: keyof Found): number => spread(found.map((each) => each[key])).median
        const share = (key: 'connectionShare' | 'cpuShare'): string =>
          workers === 1 ? '' : `${(100 * middle(key)).toFixed(0)} %`
        return [
          `${name}, ${workers === 1 ? 'one worker' : 'two workers'}`,
          figure(middle('rate')),
          figure(middle('cpu')),
          share('connectionShare'),
          share('cpuShare'),
        ]
      }
      rows.push(row(1, one), row(2, two))

      const worst = (key: 'connectionShare' | 'cpuShare'): number =>
        Math.max(...two.map((found) => Math.abs(found[key] - 0.5))) * 100
      const cpu = (found: readonly Found[]): number => spread(found.map((each) => each.cpu)).median
      targets.push(
        {
          what: `${name}: CPU time of a call with two workers, against one`,
          measured: cpu(two) / cpu(one),
          atMost: 1.25,
        },
        {
          what: `${name}: connections of a worker differ from half of them by`,
          measured: worst('connectionShare'),
          atMost: 10,
          unit: ' %',
        },
        {
          what: `${name}: CPU time of a worker differs from half of it by`,
          measured: worst('cpuShare'),
          atMost: 10,
          unit: ' %',
        },
      )
    }

    return { report: table(rows), targets }
  },
}

export default scenario

async function measure(scheme: string, workers: number, rounds: number, seconds: number): Promise<Found[]> {
  const served = await serveBy(workers)

  try {
    const program = [
      process.execPath,
      join(bench, 'systems', 'many-client.ts'),
      `${scheme}://${served.authority}`,
    ]
    const clients = [await startUnpinned(program), await startUnpinned(program)]

    try {
      const turn = async (): Promise<Turn[]> => {
        const run = { concurrency: concurrency / 2, milliseconds: seconds * 1000 }
        return Promise.all(clients.map(async (client) => (await client.ask({ run })) as Turn))
      }
      await turn()

      const found: Found[] = []
      for (let round = 0; round < rounds; round++) {
        const before = served.pids.map(cpuMicroseconds)
        const turns = await turn()
        const spent = served.pids.map((pid, i) => cpuMicroseconds(pid) - before[i]!)
        const connections = served.pids.map((pid) => connectionsOf(pid, served.authority))

        if (turns.some(({ errors }) => errors > 0)) throw new Error('replies were wrong or missing')
        const calls = sum(turns.map((each) => each.calls))
        found.push({
          rate: sum(turns.map((each) => each.calls / (each.milliseconds / 1000))),
          cpu: sum(spent) / calls,
          cpuShare: spent[0]! / sum(spent),
          connectionShare: connections[0]! / sum(connections),
        })
      }
      return found
    } finally {
      await Promise.all(clients.map((client) => client.stop()))
    }
  } finally {
    const ended = once(served.child, 'close')
    served.child.kill('SIGTERM')
    await ended
  }
}

const startUnpinned = (program: readonly string[]) => startChild(undefined, program)

async function serveBy(workers: number): Promise<Served> {
  const command = join(bench, '..', 'src', 'cli', 'main.ts')
  const service = join(bench, 'systems', 'echo-service.ts')
  const words = ['serve', service, '--port', '0', '--workers', String(workers), '--grace', '1s']
  const child = spawn(process.execPath, [command, ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_ENV: 'production' },
  })

  const [line] = (await Promise.race([
    once(createInterface({ input: child.stdout! }), 'line'),
    once(child, 'close').then(() => ['']),
  ])) as [string]
  const authority = / on (?<authority>\S+) \(/.exec(line)?.groups?.['authority']
  if (authority === undefined) throw new Error(`trunkline serve said ${line || 'nothing'}`)
  const pid = child.pid!
  return { child, authority, pids: workers === 1 ? [pid] : childrenOf(pid) }
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
}

/** Established connections of a process to the port that is served, as Linux lists them. */
function connectionsOf(pid: number, authority: string): number {
  const port = Number(authority.split(':').at(-1)).toString(16).toUpperCase().padStart(4, '0')
  const established = '01'
  const inodes = new Set(
    readFileSync(`/proc/${pid}/net/tcp`, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, local, , state]) => local?.endsWith(`:${port}`) && state === established)
      .map((fields) => `socket:[${fields[9]}]`),
  )
  return readdirSync(`/proc/${pid}/fd`).filter((fd) => inodes.has(linkOf(`/proc/${pid}/fd/${fd}`))).length
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
