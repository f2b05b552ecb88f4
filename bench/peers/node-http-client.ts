// node:http's own client with a keep-alive agent.

import { Agent, request } from 'node:http'
import { clientBench } from '../harness/client-process.ts'
import type { Order } from '../order.ts'

const url = process.argv[2] ?? ''
const agent = new Agent({ keepAlive: true, maxSockets: 64 })

clientBench((order) => {
  const body = JSON.stringify(order)
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }

  return new Promise<Order>((resolve, reject) => {
    const call = request(url, { method: 'POST', agent, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve(JSON.parse(text)))
      response.on('error', reject)
    })

    call.on('error', reject)
    call.end(body)
  })
})
