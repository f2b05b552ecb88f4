/** The worker's side of `serve --workers`: it listens through node:cluster, says when it is ready, and ends when it is told. */
import cluster from 'node:cluster'
import type { Ready } from './ready.ts'

/** From a worker to its supervisor. */
export interface FromWorker {
  readonly ready: Ready
}

/** From the supervisor to a worker. */
export const drain = 'drain'

/** Tells which of the workers a process is, so that each has an admin port of its own. */
export const indexVariable = 'TRUNKLINE_WORKER'

/** Which of the workers this process is, from 0; 0 as well when it is the only one. */
export function workerIndex(): number {
  return cluster.isWorker ? Number(process.env[indexVariable] ?? 0) : 0
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
