// The ceiling of every protocol on TCP: bytes in, the same bytes out.

import { createServer, type AddressInfo } from 'node:net'
import { serveBench } from '../harness/server-process.ts'

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('data', (bytes) => socket.write(bytes))
  socket.on('error', () => socket.destroy())
})

server.listen(0, '127.0.0.1', () => serveBench({ port: (server.address() as AddressInfo).port }))
