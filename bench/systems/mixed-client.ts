// Our clients over every wire at once, with their defaults. `node mixed-client.ts PORT`: `{"run": {"milliseconds"}}` → what was
// done, when all of it is over; `{"memory": true}` → its memory.
//
// Over each wire there are sixteen callers on one client, one that makes a client for every tenth call and ends it, and one
// whose connections a relay cuts.

import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { CallError, connect } from '../../src/index.ts'
import { collected } from '../harness/collected.ts'
import { relayTo } from '../harness/relay.ts'
import { Mixed } from './mixed-contract.ts'
import { nthWork } from './mixed-work.ts'

const port = Number(process.argv[2])
const relay = await relayTo(port)
const schemes = ['grpc', 'trunk', 'http']
const perClient = 10

const lasting = schemes.map((scheme) => ({
  scheme,
  steady: connect(Mixed, `${scheme}://127.0.0.1:${port}`),
  cut: connect(Mixed, `${scheme}://127.0.0.1:${relay.port}`),
}))

/** What one run did. */
interface Done {
  calls: number
  errors: number
  /** Calls that failed because their connection was cut, as they should. */
  cut: number
  clients: number
}

let n = 0

async function run(milliseconds: number): Promise<Done> {
  const done: Done = { calls: 0, errors: 0, cut: 0, clients: 0 }
  let stopped = false

  const call = async (client: (typeof lasting)[0]['steady'], mayBreak = false): Promise<void> => {
    try {
      if (await nthWork(n++)(client, n)) done.calls++
      else wrong(done, new Error('an answer is not what was asked for'))
    } catch (error) {
      if (!mayBreak || !CallError.is(error) || error.code !== 'unavailable') return wrong(done, error)
      done.cut++
      // The client waits before it tries again, and refuses calls as long.
      await sleep(50)
    }
  }

  const steady = async (client: (typeof lasting)[0]['steady'], mayBreak = false): Promise<void> => {
    while (!stopped) await call(client, mayBreak)
  }

  const changing = async (scheme: string): Promise<void> => {
    while (!stopped) {
      const client = connect(Mixed, `${scheme}://127.0.0.1:${port}`)
      done.clients++
      for (let i = 0; i < perClient; i++) await call(client)
      await client[Symbol.asyncDispose]()
    }
  }

  const cutting = setInterval(() => relay.cut(), 250)
  setTimeout(() => {
    stopped = true
  }, milliseconds)

  await Promise.all(
    lasting.flatMap(({ scheme, steady: client, cut }) => [
      ...Array.from({ length: 16 }, () => steady(client)),
      steady(cut, true),
      changing(scheme),
    ]),
  )
  clearInterval(cutting)
  return done
}

function wrong(done: Done, error: unknown): void {
  if (done.errors++ < 3) console.error(error)
}

console.log(JSON.stringify({ ready: {} }))

createInterface({ input: process.stdin })
  .on('close', () => process.exit(0))
  .on('line', async (line) => {
    const question = JSON.parse(line) as { run?: { milliseconds: number } }
    const { run: asked } = question
    console.log(JSON.stringify(asked === undefined ? await collected() : await run(asked.milliseconds)))
  })
