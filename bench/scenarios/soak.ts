// Whether memory grows under a mixed load: two processes, every wire, minutes.

import { join } from 'node:path'
import { startChild, type Child } from '../harness/child.ts'
import { table } from '../harness/markdown.ts'
import { memoryOf, type Memory } from '../harness/memory.ts'
import { CORES } from '../harness/pin.ts'
import type { Scenario, Target } from '../harness/scenario.ts'
import { slope } from '../harness/statistics.ts'
import { works } from '../systems/mixed-work.ts'

const MIB = 2 ** 20

/** What one more byte kept of every call would be is a hundred times as much. */
const bounds = { held: 0.1, resident: 1 }

interface Done {
  calls: number
  errors: number
  cut: number
  clients: number
}

interface Sample {
  server: Memory
  client: Memory
}

const mix = Object.entries(works).map(([name, { of100 }]) => `${name} ${of100} %`)

const scenario: Scenario = {
  title: 'Mixed load',
  about:
    'Memory after garbage collections, when all calls are over: at the start, which is after as long a warm-up, and after every ' +
    `round. The load, over gRPC, trunk and REST at once: ${mix.join(', ')}. Over each wire: sixteen callers on one client, one that ` +
    'makes a client for every ten calls and closes it, one whose connections are cut four times a second. Growth is the median ' +
    'of the slopes between all pairs of samples.',
  effort: { rounds: 10, seconds: 60 },

  run: async (effort) => {
    const server = await start(CORES.server, 'systems/mixed-server.ts')
    const client = await start(CORES.client, 'systems/mixed-client.ts', String(server.ready['port'])).catch(
      async (error) => {
        await server.stop()
        throw error
      },
    )

    try {
      const milliseconds = effort.seconds * 1000
      const load = async (): Promise<Done> => {
        const done = (await client.ask({ run: { milliseconds } }, milliseconds + 60_000)) as Done
        if (done.errors > 0) throw new Error(`${done.errors} calls did not end as they should`)
        return done
      }
      const look = async (): Promise<Sample> => ({
        server: await memoryOf(server),
        client: await memoryOf(client),
      })

      await load()
      const samples = [await look()]
      const total: Done = { calls: 0, errors: 0, cut: 0, clients: 0 }

      for (let round = 0; round < effort.rounds; round++) {
        const done = await load()
        for (const key of Object.keys(total) as (keyof Done)[]) total[key] += done[key]
        samples.push(await look())
        process.stderr.write(`\rround ${round + 1} of ${effort.rounds}: ${total.calls} calls `)
      }

      process.stderr.write('\n')
      return { report: render(samples, total, effort.seconds), targets: targets(samples, effort.seconds) }
    } finally {
      await Promise.all([client.stop(), server.stop()])
    }
  },
}

export default scenario

function start(core: number, program: string, ...args: string[]): Promise<Child> {
  return startChild(core, [
    process.execPath,
    '--expose-gc',
    join(import.meta.dirname, '..', program),
    ...args,
  ])
}

function targets(samples: readonly Sample[], seconds: number): Target[] {
  const found: Target[] = []

  for (const side of ['server', 'client'] as const) {
    for (const [key, name] of [
      ['held', 'heap and buffers'],
      ['resident', 'resident memory'],
    ] as const) {
      const perRound = slope(samples.map((sample) => sample[side][key] / MIB))
      found.push({
        what: `${side}: growth of ${name} a minute`,
        measured: (perRound * 60) / seconds,
        atMost: bounds[key],
        unit: ' MiB',
      })
    }
  }

  return found
}

function render(samples: readonly Sample[], { calls, cut, clients }: Done, seconds: number): string {
  const mib = (bytes: number): string => (bytes / MIB).toFixed(2)
  const rows = samples.map(({ server, client }, round) => [
    `${round * seconds} s`,
    mib(server.held),
    mib(server.reserved),
    mib(server.resident),
    mib(client.held),
    mib(client.reserved),
    mib(client.resident),
  ])
  const head = [
    'after',
    'server: held, MiB',
    'V8 reserves',
    'resident',
    'client: held, MiB',
    'V8 reserves',
    'resident',
  ]
  const did =
    `${calls} calls ended as they should, ${cut} were cut and failed as they should, none failed otherwise; ` +
    `${clients} clients were made and closed.`
  return `${table([head, ...rows])}\n\n${did}`
}
