// Bytes over a socket of our own, for tests of what a connection does.

import net from 'node:net'

export interface RawConnection {
  readonly socket: net.Socket
  /** What came so far, one character a byte. */
  readonly text: () => string
  /** Resolves when the other side has ended or reset the connection. */
  readonly closed: Promise<void>
  /** Resolves when what came contains the text. */
  until(text: string): Promise<void>
}

/** Connects to a port of loopback, or to a Unix socket. */
export async function rawConnection(target: number | string): Promise<RawConnection> {
  const socket = typeof target === 'number' ? net.connect(target, '127.0.0.1') : net.connect({ path: target })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  return rawOn(socket)
}

/** The same on a socket that is connected already. */
export function rawOn(socket: net.Socket): RawConnection {
  let received = ''
  const waiting: {
    readonly text: string
    readonly resolve: () => void
    readonly reject: (why: Error) => void
  }[] = []

  socket.on('error', () => undefined)
  socket.on('data', (bytes: Buffer) => {
    received += bytes.toString('latin1')
    for (const each of waiting) if (received.includes(each.text)) each.resolve()
  })
  const closed = new Promise<void>((resolve) => {
    const over = () => {
      resolve()
      for (const { text, reject } of waiting)
        reject(new Error(`closed before ${text}; there came ${received}`))
    }
    socket.once('end', over)
    socket.once('close', over)
  })

  return {
    socket,
    text: () => received,
    closed,
    until(text) {
      if (received.includes(text)) return Promise.resolve()
      return new Promise((resolve, reject) => {
        waiting.push({ text, resolve, reject })
      })
    },
  }
}
