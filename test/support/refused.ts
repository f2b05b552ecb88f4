// Waits for the end of a server that is another process.
import net from 'node:net'

/** Resolves when nobody listens on a port of 127.0.0.1 any more. */
export async function refused(port: number): Promise<void> {
  for (;;) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = net.connect(port, '127.0.0.1')
      socket.once('connect', () => {
        socket.destroy()
        resolve(true)
      })
      socket.once('error', () => resolve(false))
    })
    if (!open) return
  }
}
