// The client of ws-json-server.ts: one connection, calls told apart by an id.

import { once } from 'node:events'
import { WebSocket } from 'ws'
import { clientBench } from '../harness/client-process.ts'
import type { Order } from '../order.ts'

const socket = new WebSocket(`ws://127.0.0.1:${process.argv[2]}`, { perMessageDeflate: false })
const waiting = new Map<number, (order: Order) => void>()
let nextId = 0

socket.on('message', (data) => {
  const { id, order } = JSON.parse(data.toString())
  waiting.get(id)?.(order)
  waiting.delete(id)
})

await once(socket, 'open')

clientBench((order) => {
  return new Promise((resolve) => {
    const id = nextId++
    waiting.set(id, resolve)
    socket.send(JSON.stringify({ id, order }))
  })
})
