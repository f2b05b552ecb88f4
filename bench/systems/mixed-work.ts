// The pieces of the mixed load. Each is verified: it resolves to true when all was as it should be.

import { type Client, CallError } from '../../src/index.ts'
import { isEcho, nthOrder } from '../order.ts'
import type { Mixed } from './mixed-contract.ts'

type Work = (client: Client<typeof Mixed>, n: number) => Promise<boolean>

const data = new Uint8Array(1024 * 1024)
const messages = 20

/** The works, and how many of a hundred calls each is. */
export const works: Readonly<Record<string, { of100: number; work: Work }>> = {
  'unary with metadata': {
    of100: 62,
    async work(client, n) {
      const sent = nthOrder(n)
      const page = String(n)
      const metadata = { 'x-page': page, 'x-page-bin': Buffer.from(page), authorization: `Bearer ${n % 97}` }
      return isEcho(sent, await client.echo(sent, { metadata, timeout: 20_000 + (n % 9973) }))
    },
  },
  'message of 1 MiB': {
    of100: 1,
    async work(client) {
      const reply = await client.blob({ data })
      return reply.data.length === data.length
    },
  },
  'declared fault': {
    of100: 6,
    work: (client, n) => fails(client.refuse(nthOrder(n)), 'failed_precondition'),
  },
  'invalid input': {
    of100: 3,
    // Our client refuses it as the server would.
    work: (client, n) => fails(client.echo({ ...nthOrder(n), quantity: 2 ** 40 }), 'invalid_argument'),
  },
  'deadline that passes': {
    of100: 4,
    work: (client, n) => fails(client.wait(nthOrder(n), { timeout: 5 }), 'deadline_exceeded'),
  },
  'call that is canceled': {
    of100: 4,
    work(client, n) {
      const controller = new AbortController()
      const ended = fails(client.wait(nthOrder(n), { signal: controller.signal }), 'canceled')
      setTimeout(() => controller.abort(), 1)
      return ended
    },
  },
  'stream from the server': {
    of100: 5,
    async work(client, n) {
      const order = nthOrder(n)
      let count = 0
      for await (const each of client.repeat({ count: messages, order })) if (isEcho(order, each)) count++
      return count === messages
    },
  },
  'stream that is left': {
    of100: 5,
    async work(client, n) {
      const order = nthOrder(n)
      for await (const each of client.repeat({ count: 100_000, order })) if (isEcho(order, each)) return true
      return false
    },
  },
  'stream from the client': {
    of100: 5,
    work: async (client, n) => (await client.collect(orders(n))).count === messages,
  },
  'stream both ways': {
    of100: 5,
    async work(client, n) {
      let count = 0
      for await (const each of client.converse(orders(n))) if (isEcho(nthOrder(n), each)) count++
      return count === messages
    },
  },
}

/** The work of the n-th call: over a hundred calls each comes as often as it should. */
export function nthWork(n: number): Work {
  return schedule[(n * 37) % schedule.length] as Work
}

const schedule = Object.values(works).flatMap(({ of100, work }) => Array.from({ length: of100 }, () => work))

function* orders(n: number) {
  for (let i = 0; i < messages; i++) yield nthOrder(n)
}

async function fails(call: Promise<unknown>, code: string): Promise<boolean> {
  try {
    await call
    return false
  } catch (error) {
    if (CallError.is(error) && error.code === code) return true
    throw error
  }
}
