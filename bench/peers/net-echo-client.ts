// The client of net-echo-server.ts: frames of the reference Order's length, each of which stands for one call. What is sent
// within a tick is written at once; the nth frame that comes back answers the nth call. Its first bytes are compared.

import { once } from 'node:events'
import { connect } from 'node:net'
import { answerTurns, closedLoop } from '../harness/client-process.ts'

const FRAME = 110
const socket = connect({ port: Number(process.argv[2]), host: '127.0.0.1', noDelay: true })
await once(socket, 'connect')

let waiting: { n: number; resolve: (good: boolean) => void }[] = []
let answered = 0
let output = Buffer.alloc(512 * FRAME)
let filled = 0
let rest: Buffer = Buffer.alloc(0)

socket.on('data', (chunk: Buffer) => {
  const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
  let offset = 0

  for (; offset + FRAME <= bytes.length; offset += FRAME) {
    const { n, resolve } = waiting[answered++]!
    resolve(bytes.readUInt32LE(offset) === n && bytes[offset + FRAME - 1] === (n & 255))
  }

  rest = bytes.subarray(offset)
  if (answered > 4096) {
    waiting = waiting.slice(answered)
    answered = 0
  }
})

function call(n: number): Promise<boolean> {
  if (filled === 0) queueMicrotask(flush)
  if (filled + FRAME > output.length) flush()
  output.writeUInt32LE(n, filled)
  output[filled + FRAME - 1] = n & 255
  filled += FRAME
  return new Promise((resolve) => waiting.push({ n, resolve }))
}

function flush(): void {
  if (filled === 0) return
  socket.write(output.subarray(0, filled))
  output = Buffer.alloc(output.length)
  filled = 0
}

answerTurns((options) => closedLoop(options, call))
