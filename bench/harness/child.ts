// The bench's side of a child process: starts it on its core, speaks line-delimited JSON with it, and ends it.

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { pinned } from './pin.ts'

/** A running server or client. */
export interface Child {
  pid: number
  /** What it said when it was ready. */
  ready: Record<string, unknown>
  /** Sends one line and waits for the answer; one question at a time. */
  ask: (question: object, timeout?: number) => Promise<Record<string, any>>
  stop: () => Promise<void>
}

const running = new Set<() => void>()
process.once('exit', () => running.forEach((kill) => kill()))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(2))

/** Starts a program on a core, or on any, and waits until it says `{"ready": …}`. */
export async function startChild(core: number | undefined, program: readonly string[]): Promise<Child> {
  const [file = '', ...args] = core === undefined ? program : pinned(core, program)
  const child = spawn(file, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, NODE_ENV: 'production' },
  })

  const kill = (): void => void child.kill('SIGKILL')
  running.add(kill)

  let waiting = Promise.withResolvers<Record<string, any>>()
  let gone: Error | undefined
  const ended = Promise.withResolvers<void>()

  const fail = (reason: string): void => {
    gone ??= new Error(`${program.join(' ')}: ${reason}`)
    waiting.reject(gone)
  }

  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.startsWith('{')) waiting.resolve(JSON.parse(line))
    else console.error(`${program.join(' ')}: ${line}`)
  })

  child.stdin.on('error', (error) => fail(error.message))
  child.once('error', (error) => {
    fail(error.message)
    ended.resolve()
  })
  child.once('close', (code, signal) => {
    running.delete(kill)
    fail(`ended with ${code ?? signal}`)
    ended.resolve()
  })

  const answer = async (timeout: number): Promise<Record<string, any>> => {
    const timer = setTimeout(() => fail(`no answer within ${timeout} ms`), timeout)
    try {
      return await waiting.promise
    } finally {
      clearTimeout(timer)
      waiting = Promise.withResolvers()
      // Nobody may be waiting when it ends.
      waiting.promise.catch(() => undefined)
    }
  }

  const stop = (): Promise<void> => {
    kill()
    return ended.promise
  }

  try {
    const { ready } = await answer(30_000)
    const ask: Child['ask'] = (question, timeout = 60_000) => {
      if (gone !== undefined) return Promise.reject(gone)
      child.stdin.write(`${JSON.stringify(question)}\n`)
      return answer(timeout)
    }

    return { pid: child.pid!, ready: ready ?? {}, ask, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
