// A server of plain sockets that keeps what connects and reads it: the socket's own cost.

import { createServer, type AddressInfo } from 'node:net'
import { serveBench } from '../harness/server-process.ts'

const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
  socket.resume()
  socket.on('error', () => socket.destroy())
})

server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  serveBench({ port: (server.address() as AddressInfo).port })
})
