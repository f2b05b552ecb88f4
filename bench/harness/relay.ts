// A TCP relay whose connections can be cut, as a dying machine or a cable cuts them.

import { type AddressInfo, type Socket, connect, createServer } from 'node:net'

/** A running relay: where it listens, and what cuts all connections. */
export interface Relay {
  port: number
  cut: () => void
}

/** Starts a relay to a port on loopback. */
export async function relayTo(port: number): Promise<Relay> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    near.pipe(far).pipe(near)

    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.once('close', () => {
        sockets.delete(socket)
        near.destroy()
        far.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  return {
    port: (server.address() as AddressInfo).port,
    cut: () => sockets.forEach((socket) => socket.resetAndDestroy()),
  }
}
