// The demo, `npm start`: an orders service in two server processes, and a client of each wire that spreads its calls over
// them, with orders from a file or from stdin. It prints a live table and goes on until Ctrl-C.
//
//   npm start                                 orders.ndjson, a few hundred calls a second
//   npm start -- --rate max                   as many as there can be
//   npm start -- --once                       one round over every order and operation, every reply checked; exits 0 or 1
//   npm start -- --orders my.ndjson           other orders; - or a pipe: from stdin

import { parseArgs } from 'node:util'
import { checkRound } from './demo-check.ts'
import { readOrders, wrongLines } from './demo-input.ts'
import { foreignRow } from './demo-foreign.ts'
import { clientOf, wires } from './demo-clients.ts'
import { startLoad } from './demo-load.ts'
import { type ServerProcess, startServers } from './demo-servers.ts'
import { Statistics } from './demo-statistics.ts'
import { startTable } from './demo-table.ts'

const usage = `npm start -- [--once] [--rate <calls a second>|max] [--orders <file>|-] [--port <first port>]`

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? `demo: ${error.message}` : error)
  process.exitCode = 1
}

async function main(): Promise<number> {
  const values = options()

  if (values.help) {
    console.log(usage)
    return 0
  }

  const rate = values.rate === 'max' ? Infinity : Number(values.rate)
  const port = Number(values.port)
  if (!(rate > 0))
    throw new Error(`--rate: expected a number above 0, or max, got '${values.rate}'\n${usage}`)
  if (!Number.isInteger(port) || port < 0 || port > 65_534) {
    throw new Error(`--port: expected a port, got '${values.port}'\n${usage}`)
  }

  const input = await readOrders(values.orders)
  for (const line of wrongLines(input)) console.log(line)
  const told = untilTold()
  const servers = await startServers(port, 2)

  try {
    for (const { line } of servers) console.log(line)
    return values.once
      ? await once(servers, input.orders)
      : await keepGoing(servers, input.orders, rate, told)
  } finally {
    await Promise.all(servers.map((server) => server.end()))
  }
}

function options() {
  try {
    const { values } = parseArgs({
      options: {
        once: { type: 'boolean', default: false },
        rate: { type: 'string', default: '300' },
        orders: { type: 'string' },
        port: { type: 'string', default: '7000' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    return values
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${usage}`, { cause: error })
  }
}

/** One round over every wire and server. */
async function once(servers: readonly ServerProcess[], orders: readonly unknown[]): Promise<number> {
  const started = performance.now()
  let calls = 0
  let problems = 0

  for (const wire of wires) {
    const statistics = new Statistics()
    await using spread = clientOf(wire, servers, statistics)

    for (const [index, server] of servers.entries()) {
      // What is asked about orders that were placed goes to the server that keeps them.
      await using own = clientOf(wire, [server], statistics)
      const share = orders.filter((_, each) => each % servers.length === index)
      const result = await checkRound({ spread, own }, share)

      calls += result.calls
      problems += result.problems.length
      const verdict = result.problems.length === 0 ? 'as expected' : `${result.problems.length} PROBLEMS`
      console.log(
        `${wire.name.padEnd(6)} ${server.authority.padEnd(16)} ${result.calls} calls, ${result.faults} faults on purpose: ${verdict}`,
      )
      for (const problem of result.problems.slice(0, 10)) console.log(`  ${problem}`)
    }
  }

  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(
    `${orders.length} orders over ${wires.length} wires: ${calls} calls in ${seconds} s, ${problems} problems`,
  )
  return problems === 0 ? 0 : 1
}

/** Until Ctrl-C. */
async function keepGoing(
  servers: readonly ServerProcess[],
  orders: readonly unknown[],
  rate: number,
  told: Promise<void>,
): Promise<number> {
  const statistics = new Statistics()
  for (const server of servers) {
    server.onForeign(({ wire, milliseconds, failed }) => {
      statistics.record(foreignRow(wire), server.authority, milliseconds, failed)
    })
  }
  const load = startLoad(
    wires.map((wire) => clientOf(wire, servers, statistics)),
    orders,
    rate,
  )
  console.log(linesToTry(servers).join('\n'))
  console.log(
    `The clients below send ${orders.length} orders again and again, with other calls between; ` +
      'some are faults on purpose. What you call gets rows of its own. Ctrl-C ends.\n',
  )
  const table = startTable(statistics)

  const fallen = Promise.race(servers.map((server) => server.fallen))
  const why = await Promise.race([told, fallen])
  table.end()
  console.log('ending: the calls under way are finished first …')
  await load.end()

  if (typeof why !== 'string') return 0
  console.error(`demo: ${why}`)
  return 1
}

/** What a foreign client can send meanwhile. */
function linesToTry([first, second]: readonly ServerProcess[]): string[] {
  const order = `'{"sku": "BOLT-M8-1", "quantity": 2, "price": 0.35}'`
  const command = 'npm run -s trunkline --'

  return [
    '',
    'Try in another terminal:',
    `  curl -s http://${first?.authority}/orders -H 'content-type: application/json' -d ${order}`,
    `  curl -s 'http://${second?.authority}/orders?limit=2'`,
    `  curl -sN 'http://${second?.authority}/orders:watch?count=3' -H 'accept: text/event-stream'`,
    `  ${command} call place ${order} --to trunk://${first?.authority}`,
    `  grpcurl -plaintext -d ${order} ${first?.authority} acme.orders.v1.Orders/Place`,
    `  ${command} call Orders/Place ${order} --to grpc://${second?.authority}`,
    `  ${command} call watch '{"count": 3}' --to http://${second?.authority}`,
    `  ${command} describe --to trunk://${first?.authority}`,
    `  the same for browsers: http://${first?.authority}/docs`,
    '',
  ]
}

function untilTold(): Promise<void> {
  return new Promise((resolve) => {
    let told = false
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (told) process.exit(130)
        told = true
        resolve()
      })
    }
  })
}
