// Opens plain sockets on demand and keeps them: `{"open": n}` → `{"open": total}`; else answers with its memory.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { answerOpens } from '../harness/idle-process.ts'

const port = Number(process.argv[2])
const sockets: Socket[] = []

answerOpens(async () => {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  socket.resume()
  sockets.push(socket)
})
