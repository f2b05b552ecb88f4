/** `serve --workers`: starts the workers, starts those again that die, and ends them all. */
import cluster, { type Worker } from 'node:cluster'
import { randomBytes } from 'node:crypto'
import { type Ready, readyLine } from './ready.ts'
import { untilToldToEnd } from './signals.ts'
import { type FromWorker, type NewTicketKeys, drain, indexVariable } from './worker.ts'

export interface SuperviseOptions {
  readonly count: number
  /** Milliseconds that workers have to drain. */
  readonly grace: number
}

const firstDelay = 100
const longestDelay = 10_000
/** How long keys of TLS session tickets are used. */
const keysLive = 86_400_000
/** A worker that lived as long has not died of its start. */
const livedLong = 30_000

/**
 * Runs until a signal comes; resolves with the exit code. The first worker starts alone, so that what is wrong with all
 * of them is said once.
 */
export async function supervise({ count, grace }: SuperviseOptions): Promise<number> {
  const workers = new Map<number, Worker>()
  const waiting = new Set<NodeJS.Timeout>()
  let ending = false

  let ticketKeys = newTicketKeys()
  // One that is about to end does not take them, and needs none.
  const give = (worker: Worker) => worker.send(ticketKeys, () => undefined)
  const renewal = setInterval(() => {
    ticketKeys = newTicketKeys()
    for (const worker of workers.values()) give(worker)
  }, keysLive)
  renewal.unref()

  const killAll = () => {
    for (const worker of workers.values()) worker.process.kill('SIGKILL')
  }
  const told = untilToldToEnd(killAll)

  /** Resolves with what the worker said, or with the exit code of one that never was ready. */
  function start(index: number): Promise<Ready | number> {
    const worker = cluster.fork({ [indexVariable]: String(index) })
    workers.set(index, worker)
    give(worker)

    return new Promise((resolve) => {
      worker.once('message', (message: FromWorker) => resolve(message.ready))
      worker.once('exit', (code) => {
        workers.delete(index)
        resolve(code ?? 1)
      })
    })
  }

  /** Keeps one worker running from now on. */
  function watch(index: number, delay: number, started: number): void {
    const worker = workers.get(index)
    if (worker === undefined) return again(index, delay, 'before it was watched')

    worker.once('exit', (code, signal) => {
      const wasFine = performance.now() - started > livedLong
      again(index, wasFine ? firstDelay : delay, signal ?? `exit code ${code}`)
    })
  }

  function again(index: number, delay: number, why: string): void {
    if (ending) return
    console.error(`trunkline serve: worker ${index + 1} ended (${why}); starting another in ${delay} ms`)

    const timer = setTimeout(() => {
      waiting.delete(timer)
      if (ending) return
      void start(index)
      watch(index, Math.min(delay * 2, longestDelay), performance.now())
    }, delay)
    waiting.add(timer)
  }

  const first = await Promise.race([start(0), told])
  if (typeof first === 'number') return first

  const readies = first === undefined ? undefined : await Promise.race([others(first), told])

  async function others(ready: Ready): Promise<Ready[] | number> {
    const rest = await Promise.all(Array.from({ length: count - 1 }, (_, index) => start(index + 1)))
    const failure = rest.find((each) => typeof each === 'number')
    return failure === undefined ? [ready, ...(rest as Ready[])] : failure
  }

  if (typeof readies === 'number') {
    ending = true
    killAll()
    return readies
  }

  if (readies !== undefined) {
    for (let index = 0; index < count; index++) watch(index, firstDelay, performance.now())
    const adminPorts = readies.flatMap((ready) => ready.adminPorts)
    console.log(readyLine({ ...(readies[0] as Ready), adminPorts }, count))
    await told
  }

  ending = true
  clearInterval(renewal)
  for (const timer of waiting) clearTimeout(timer)
  await drainAll(workers, grace)
  return 0
}

function newTicketKeys(): NewTicketKeys {
  return { ticketKeys: randomBytes(48).toString('base64') }
}

/** Tells every worker to drain, and ends those that have not within the grace and a little more. */
async function drainAll(workers: ReadonlyMap<number, Worker>, grace: number): Promise<void> {
  const gone = [...workers.values()].map(
    (worker) =>
      new Promise<void>((resolve) => {
        worker.once('exit', () => resolve())
        worker.send(drain)
      }),
  )

  const timer = setTimeout(() => {
    for (const worker of workers.values()) worker.process.kill('SIGKILL')
  }, grace + 2_000)
  await Promise.all(gone)
  clearTimeout(timer)
}
