// How much later a process is ready because it serves a contract, and whether it is quiet afterwards.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { table } from '../harness/markdown.ts'
import { CORES, pinned } from '../harness/pin.ts'
import { cpuMicroseconds, residentBytes } from '../harness/proc.ts'
import type { Scenario } from '../harness/scenario.ts'
import { spread } from '../harness/statistics.ts'

const programs = { base: 'systems/cold-base.mjs', ours: 'systems/cold-ours.mjs' }

interface Start {
  milliseconds: number
  cpu: number
  resident: number
  /** CPU time in the idle seconds after the start, milliseconds. */
  idle: number
}

const scenario: Scenario = {
  title: 'Cold start',
  about:
    'From the start of the process to its first line, which it prints when it listens: zod and node:http alone, and the same ' +
    'with the built package serving a contract of one call. They take turns, ten times a round.',

  run: async (effort) => {
    const build = spawnSync(
      process.execPath,
      [join(import.meta.dirname, '..', '..', 'scripts', 'build.ts')],
      { stdio: 'inherit' },
    )
    if (build.status !== 0) throw new Error('the package does not build')

    const starts: Record<keyof typeof programs, Start[]> = { base: [], ours: [] }
    await one(programs.base, 0)
    await one(programs.ours, 0)

    for (let turn = 0; turn < effort.rounds * 10; turn++) {
      // Whether it is idle is watched once, and long enough for a timer to show itself.
      const watch = turn === 0 ? 3000 * effort.seconds : 0
      starts.base.push(await one(programs.base, watch))
      starts.ours.push(await one(programs.ours, watch))
    }

    const later = spread(
      starts.ours.map((start, turn) => start.milliseconds - starts.base[turn]!.milliseconds),
    )
    const rows = Object.entries(starts).map(([name, all]) => row(name, all))

    return {
      report: table([
        ['', 'ready after, ms (min–max)', 'CPU ms until ready', 'RSS MB', 'CPU ms while idle'],
        ...rows,
      ]),
      targets: [
        {
          what: '`import` + `serve` of one contract, over the base',
          measured: later.median,
          atMost: 40,
          unit: ' ms',
        },
        { what: 'CPU time in three idle seconds', measured: starts.ours[0]!.idle, atMost: 10, unit: ' ms' },
      ],
    }
  },
}

export default scenario

function row(name: string, starts: readonly Start[]): string[] {
  const time = spread(starts.map((start) => start.milliseconds))
  const cpu = spread(starts.map((start) => start.cpu)).median
  const resident = spread(starts.map((start) => start.resident)).median / 2 ** 20
  const title = name === 'base' ? 'zod + node:http' : 'zod + trunkline'
  const range = `${time.median.toFixed(0)} (${time.min.toFixed(0)}–${time.max.toFixed(0)})`
  return [title, range, cpu.toFixed(0), resident.toFixed(0), starts[0]!.idle.toFixed(0)]
}

async function one(program: string, idle: number): Promise<Start> {
  const [command = '', ...args] = pinned(CORES.client, [
    process.execPath,
    join(import.meta.dirname, '..', program),
  ])
  const started = performance.now()
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const pid = child.pid!

  try {
    const [line] = await Promise.race([once(child.stdout, 'data'), once(child, 'close')])
    if (!Buffer.isBuffer(line)) throw new Error(`${program} ended before it was ready`)
    const milliseconds = performance.now() - started
    const cpu = cpuMicroseconds(pid) / 1000
    const resident = residentBytes(pid)

    if (idle > 0) await sleep(1000)
    const quiet = cpuMicroseconds(pid)
    if (idle > 0) await sleep(idle)
    return { milliseconds, cpu, resident, idle: (cpuMicroseconds(pid) - quiet) / 1000 }
  } finally {
    child.kill('SIGKILL')
  }
}
