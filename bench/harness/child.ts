// The bench's side of a child process: starts it on its core, speaks line-delimited JSON with it, and ends it.

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { pinned } from './pin.ts'

/** A running server or client. */
export interface Child {
  pid: number
  /** What it said when it was ready. */
  ready: Record<string, unknown>
  /** Sends one line and waits for the answer. */
  ask: (question: object, timeout?: number) => Promise<Record<string, any>>
  stop: () => Promise<void>
}

const running = new Set<() => void>()
process.once('exit', () => running.forEach((kill) => kill()))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(2))

/** Starts a Node program of bench/ on a core and waits until it says `{"ready": …}`. */
export async function startChild(core: number, program: readonly string[]): Promise<Child> {
  const [file = '', ...args] = pinned(core, [process.execPath, ...program])
  const child = spawn(file, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, NODE_ENV: 'production' },
  })

  const kill = (): void => void child.kill('SIGKILL')
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  running.add(kill)
  void ended.then(() => running.delete(kill))

  const lines = createInterface({ input: child.stdout })
  let settle: { resolve: (line: Record<string, any>) => void; reject: (error: Error) => void } | undefined

  lines.on('line', (line) => {
    if (line.startsWith('{')) settle?.resolve(JSON.parse(line))
    else console.error(`${program[0]}: ${line}`)
  })

  const answer = (what: string, timeout: number): Promise<Record<string, any>> => {
    return new Promise((resolve, reject) => {
      const fail = (reason: string): void => reject(new Error(`${program.join(' ')}: ${reason}, ${what}`))
      const timer = setTimeout(() => fail(`no answer within ${timeout} ms`), timeout)

      settle = { resolve, reject }
      void ended.then(() => fail(`ended with ${child.exitCode ?? child.signalCode}`))
      child.once('error', (error) => fail(error.message))
      child.once('close', () => clearTimeout(timer))
      const resolveOnce = settle.resolve
      settle.resolve = (line) => {
        clearTimeout(timer)
        resolveOnce(line)
      }
    })
  }

  const { ready } = await answer('before it was ready', 30_000)

  return {
    pid: child.pid!,
    ready,
    ask: (question, timeout = 60_000) => {
      child.stdin.write(`${JSON.stringify(question)}\n`)
      return answer(`asked ${JSON.stringify(question)}`, timeout)
    },
    stop: () => {
      kill()
      return ended
    },
  }
}
