// ws with JSON: the usual hand-made RPC over WebSocket. Per call: an id, JSON.parse, JSON.stringify; no validation, no deadline.

import { WebSocketServer } from 'ws'
import { serveBench } from '../harness/server-process.ts'

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })

server.on('connection', (socket) => {
  socket.on('message', (data) => {
    const { id, order } = JSON.parse(data.toString())
    socket.send(JSON.stringify({ id, order }))
  })
})

server.on('listening', () => {
  const address = server.address()
  if (typeof address === 'object' && address !== null) serveBench({ port: address.port })
})
