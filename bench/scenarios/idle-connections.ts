// What an idle trunk connection costs over the socket's own, on both sides.

import { join } from 'node:path'
import { startChild, type Child } from '../harness/child.ts'
import { table } from '../harness/markdown.ts'
import { memoryOf, type Memory } from '../harness/memory.ts'
import { CORES } from '../harness/pin.ts'
import type { Scenario } from '../harness/scenario.ts'
import { spread } from '../harness/statistics.ts'

const STEP = 500

const systems = {
  ours: { server: ['systems/server.ts', 'trunk'], client: ['systems/idle-client.ts', 'shared'] },
  alone: { server: ['systems/server.ts', 'trunk'], client: ['systems/idle-client.ts', 'alone'] },
  socket: { server: ['peers/net-idle-server.ts'], client: ['peers/net-idle-client.ts'] },
}

interface Costs {
  server: Memory[]
  client: Memory[]
}

const scenario: Scenario = {
  title: 'Idle connections',
  about:
    `Heap and buffers a connection, after a garbage collection, measured over rounds of ${STEP} further connections each. ` +
    'Every trunk connection has made one call and belongs to a `connect()` of its own, with balancer, pool and filters; in the ' +
    'second row these do not even share the compiled codecs.',

  run: async (effort) => {
    const ours = await costs(systems.ours, effort.rounds)
    const alone = await costs(systems.alone, effort.rounds)
    const socket = await costs(systems.socket, effort.rounds)
    const rows = [['', 'server, KiB', 'client, KiB', 'resident: server / client, KiB']]

    for (const [name, cost] of Object.entries({
      'trunk connection': ours,
      'trunk client, nothing shared': alone,
      'socket alone': socket,
    })) {
      const resident = `${kib(cost.server, 'resident')} / ${kib(cost.client, 'resident')}`
      rows.push([name, kib(cost.server, 'held'), kib(cost.client, 'held'), resident])
    }

    const over = (side: 'server' | 'client'): number =>
      (median(ours[side], 'held') - median(socket[side], 'held')) / 1024

    return {
      report: table(rows),
      targets: [
        {
          what: 'a server’s memory an idle connection, over the socket',
          measured: over('server'),
          atMost: 16,
          unit: ' KiB',
        },
        {
          what: 'a client’s memory an idle connection, over the socket',
          measured: over('client'),
          atMost: 16,
          unit: ' KiB',
        },
      ],
    }
  },
}

export default scenario

async function costs(system: (typeof systems)['ours'], rounds: number): Promise<Costs> {
  const server = await start(CORES.server, system.server)
  const to = String(server.ready['url'] ?? server.ready['port'])
  const client = await start(CORES.client, [...system.client, to])

  try {
    // The first connections load and compile what the later ones share.
    await client.ask({ open: STEP })
    const found: Costs = { server: [], client: [] }
    let before = { server: await memoryOf(server), client: await memoryOf(client) }

    for (let round = 0; round < rounds; round++) {
      await client.ask({ open: STEP })
      const now = { server: await memoryOf(server), client: await memoryOf(client) }
      found.server.push(difference(now.server, before.server))
      found.client.push(difference(now.client, before.client))
      before = now
    }

    return found
  } finally {
    await Promise.all([client.stop(), server.stop()])
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

function difference(now: Memory, before: Memory): Memory {
  return { held: (now.held - before.held) / STEP, resident: (now.resident - before.resident) / STEP }
}

function median(memories: readonly Memory[], key: keyof Memory): number {
  return spread(memories.map((memory) => memory[key])).median
}

function kib(memories: readonly Memory[], key: keyof Memory): string {
  return (median(memories, key) / 1024).toFixed(1)
}
