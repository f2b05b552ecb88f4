// undici over keep-alive connections, as many as there are callers: `request` with a shared Agent, or a Pool.
//
//     node undici-client.ts request|pool URL

import { Agent, Pool, request } from 'undici'
import { clientBench } from '../harness/client-process.ts'
import type { Order } from '../order.ts'

const [kind, url = ''] = process.argv.slice(2)
const { origin, pathname } = new URL(url)
const headers = { 'content-type': 'application/json' }
const agent = new Agent({ connections: 64 })
const pool = new Pool(origin, { connections: 64 })

clientBench(kind === 'pool' ? byPool : byRequest)

async function byRequest(order: Order): Promise<Order> {
  const body = JSON.stringify(order)
  const response = await request(url, { method: 'POST', headers, body, dispatcher: agent })
  return (await response.body.json()) as Order
}

async function byPool(order: Order): Promise<Order> {
  const body = JSON.stringify(order)
  const response = await pool.request({ path: pathname, method: 'POST', headers, body })
  return (await response.body.json()) as Order
}
