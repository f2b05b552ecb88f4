// What idle connections and waiting streams cost over the socket's own, on both sides: memory, and CPU time while nothing happens.

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startChild, type Child } from '../harness/child.ts'
import { table } from '../harness/markdown.ts'
import { memoryOf, type Memory } from '../harness/memory.ts'
import { CORES } from '../harness/pin.ts'
import { cpuMicroseconds } from '../harness/proc.ts'
import type { Effort, Scenario, Target } from '../harness/scenario.ts'
import { spread } from '../harness/statistics.ts'

interface System {
  name: string
  server: readonly string[]
  client: readonly string[]
  /** So many more are opened in each round. */
  step: number
  /** In so many rounds, where it is not the effort's. */
  rounds?: number
}

const onTrunk = ['systems/server.ts', 'trunk']
const onGrpc = ['systems/server.ts', 'grpc']
const streams = { step: 1000, rounds: 10 }

const socket: System = {
  name: 'socket alone',
  server: ['peers/net-idle-server.ts'],
  client: ['peers/net-idle-client.ts'],
  step: 500,
}
const trunk: System = {
  name: 'trunk connection',
  server: onTrunk,
  client: ['systems/idle-client.ts', 'shared'],
  step: 500,
}
const grpc: System = {
  name: 'gRPC connection',
  server: onGrpc,
  client: ['systems/idle-client.ts', 'shared'],
  step: 500,
}
const grpcWatch: System = {
  name: 'gRPC stream from the server, open',
  server: ['systems/mixed-server.ts', 'grpc'],
  client: ['systems/streams-client.ts', 'watch'],
  ...streams,
}
const grpcConverse: System = {
  name: 'gRPC stream both ways, open',
  server: ['systems/mixed-server.ts', 'grpc'],
  client: ['systems/streams-client.ts', 'converse'],
  ...streams,
}

const systems: readonly System[] = [
  socket,
  trunk,
  { ...trunk, name: 'trunk client, nothing shared', client: ['systems/idle-client.ts', 'alone'] },
  grpc,
  {
    name: 'grpc-js connection',
    server: ['peers/grpc-js-server.ts'],
    client: ['peers/grpc-js-idle-client.ts'],
    step: 200,
  },
  {
    name: 'trunk stream from the server, open',
    server: ['systems/mixed-server.ts', 'trunk'],
    client: ['systems/streams-client.ts', 'watch'],
    ...streams,
  },
  grpcWatch,
  grpcConverse,
]

const IDLE_SECONDS = 3

interface Costs {
  server: Memory[]
  client: Memory[]
  /** CPU time of both sides while nothing happened, milliseconds. */
  idle: { server: number; client: number }
}

const scenario: Scenario = {
  title: 'Idle connections and open streams',
  about:
    'Heap and buffers of each, after a garbage collection, measured over rounds in each of which 500 connections (grpc-js: 200) or ' +
    '1,000 streams are opened besides those that are there; 10,000 streams in the end, a thousand on a connection. Every connection ' +
    'of ours has made one call and belongs to a `connect()` of its own, with balancer, pool and filters; where nothing is shared, ' +
    'also with wires of its own. Every stream has brought one message, and its reader waits for the next. Idle: CPU time of ' +
    `${IDLE_SECONDS} seconds with all of them open.`,

  run: async (effort) => {
    const found = new Map<System, Costs>()
    for (const system of systems) found.set(system, await costs(system, effort))

    const rows = [...found].map(([{ name }, { server, client, idle }]) => [
      name,
      kib(server, 'held'),
      kib(client, 'held'),
      `${kib(server, 'resident')} / ${kib(client, 'resident')}`,
      `${idle.server.toFixed(0)} / ${idle.client.toFixed(0)}`,
    ])
    const head = [
      'each',
      'server, KiB',
      'client, KiB',
      'resident: server / client, KiB',
      'idle: CPU ms, server / client',
    ]

    const of = (system: System): Costs => found.get(system) as Costs
    const promises = (system: System, what: string, atMost: number, base?: System): Target[] =>
      (['server', 'client'] as const).map((side) => {
        const less = base === undefined ? 0 : median(of(base)[side], 'held')
        return {
          what: `${side}: ${what}`,
          measured: (median(of(system)[side], 'held') - less) / 1024,
          atMost,
          unit: ' KiB',
        }
      })

    const ours = [...found].filter(([{ server }]) => server[0]?.startsWith('systems/'))
    const busiest = Math.max(...ours.flatMap(([, { idle }]) => [idle.server, idle.client]))

    return {
      report: table([head, ...rows]),
      targets: [
        ...promises(trunk, 'an idle trunk connection, over the socket', 16, socket),
        ...promises(grpc, 'an idle gRPC connection, over the socket', 32, socket),
        ...promises(grpcWatch, 'an open gRPC stream from the server', 8),
        ...promises(grpcConverse, 'an open gRPC stream both ways', 8),
        {
          what: `CPU time of any process of ours in ${IDLE_SECONDS} idle seconds`,
          measured: busiest,
          atMost: 30,
          unit: ' ms',
        },
      ],
    }
  },
}

export default scenario

async function costs(system: System, effort: Effort): Promise<Costs> {
  const { step, name } = system
  // One round alone is for who wants to know whether it measures.
  const rounds = effort.rounds === 1 ? 1 : (system.rounds ?? effort.rounds)
  const server = await start(CORES.server, system.server)

  try {
    const to = String(server.ready['url'] ?? server.ready['port'])
    const client = await start(CORES.client, [...system.client, to])

    try {
      // The first ones load and compile what the later ones share.
      await client.ask({ open: step })
      const found: Costs = { server: [], client: [], idle: { server: 0, client: 0 } }
      let before = { server: await memoryOf(server), client: await memoryOf(client) }

      for (let round = 0; round < rounds; round++) {
        await client.ask({ open: step })
        const now = { server: await memoryOf(server), client: await memoryOf(client) }
        found.server.push(difference(now.server, before.server, step))
        found.client.push(difference(now.client, before.client, step))
        before = now
        process.stderr.write(`\r${name}: round ${round + 1} of ${rounds} `)
      }

      process.stderr.write('\n')
      // What the collector still sweeps is not idleness.
      await sleep(1000 * effort.seconds)
      const busy = { server: cpuMicroseconds(server.pid), client: cpuMicroseconds(client.pid) }
      await sleep(IDLE_SECONDS * 1000 * effort.seconds)
      found.idle.server = (cpuMicroseconds(server.pid) - busy.server) / 1000
      found.idle.client = (cpuMicroseconds(client.pid) - busy.client) / 1000
      return found
    } finally {
      await client.stop()
    }
  } finally {
    await server.stop()
  }
}

function start(core: number, [program = '', ...args]: readonly string[]): Promise<Child> {
  return startChild(core, [
    process.execPath,
    '--expose-gc',
    join(import.meta.dirname, '..', program),
    ...args,
  ])
}

function difference(now: Memory, before: Memory, step: number): Memory {
  return {
    held: (now.held - before.held) / step,
    reserved: (now.reserved - before.reserved) / step,
    resident: (now.resident - before.resident) / step,
  }
}

function median(memories: readonly Memory[], key: keyof Memory): number {
  return spread(memories.map((memory) => memory[key])).median
}

function kib(memories: readonly Memory[], key: keyof Memory): string {
  return (median(memories, key) / 1024).toFixed(1)
}
