/** The worker's side of `serve --workers`: it listens through node:cluster, says when it is ready, and ends when it is told. */
import cluster from 'node:cluster'
import net from 'node:net'
import type { Ready } from './ready.ts'

/** From a worker to its supervisor. */
export interface FromWorker {
  readonly ready: Ready
}

/** From the supervisor to a worker. */
export const drain = 'drain'

/** From the supervisor too: the keys of TLS session tickets, in base64, at the start and whenever there are new ones. */
export interface NewTicketKeys {
  readonly ticketKeys: string
}

/** Tells which of the workers a process is, so that each has an admin port of its own. */
export const indexVariable = 'TRUNKLINE_WORKER'

/** The port that a worker has for itself, counted up from the first one's; 0 stays a free one, which node:cluster would share. */
export async function ownPort(first: number): Promise<number> {
  if (!cluster.isWorker) return first
  if (first !== 0) return first + Number(process.env[indexVariable] ?? 0)

  const probe = net.createServer()
  await new Promise<void>((resolve) => probe.listen({ port: 0, host: '127.0.0.1', exclusive: true }, resolve))
  const { port } = probe.address() as net.AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}

/** Resolves, when the supervisor has sent some, with what returns the keys of the moment. `undefined` without a supervisor. */
export async function ticketKeysOfAll(): Promise<(() => Buffer) | undefined> {
  if (!cluster.isWorker || process.env[indexVariable] === undefined) return undefined
  let keys: Buffer | undefined

  return new Promise((resolve) => {
    process.on('message', (message: Partial<NewTicketKeys>) => {
      if (typeof message.ticketKeys !== 'string') return
      const first = keys === undefined
      keys = Buffer.from(message.ticketKeys, 'base64')
      if (first) resolve(() => keys as Buffer)
    })
  })
}

export function reportReady(ready: Ready): void {
  const message: FromWorker = { ready }
  process.send?.(message)
}

/**
 * Resolves when the supervisor says so or is gone. A terminal sends SIGINT to all processes of its group: it is the
 * supervisor who decides.
 */
export function untilDrained(): Promise<void> {
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => {})

  return new Promise((resolve) => {
    process.on('message', (message) => {
      if (message === drain) resolve()
    })
    process.once('disconnect', () => resolve())
  })
}
