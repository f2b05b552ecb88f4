// Foreign programs as child processes.

import { type ChildProcess, spawn } from 'node:child_process'
import net from 'node:net'

export interface ProgramResult {
  readonly code: number | null
  /** Standard output and error, as they came. */
  readonly output: string
}

/** Runs a program to its end, without blocking this process, which may be what it talks to. */
export function runProgram(
  program: string,
  args: readonly string[],
  stdin = '',
  timeout = 60_000,
): Promise<ProgramResult> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout })
  const output = outputOf(child)
  child.stdin?.end(stdin)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, output: output() }))
  })
}

/** A program that goes on until it is disposed. */
export interface RunningProgram extends AsyncDisposable {
  readonly output: () => string
  /** Its first line. */
  line(): Promise<string>
}

/** Starts a program. */
export function startProgram(program: string, args: readonly string[]): RunningProgram {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const output = outputOf(child)
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))

  return {
    output,
    line: () =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (output().includes('\n')) resolve(output().slice(0, output().indexOf('\n')))
        }
        child.stdout?.on('data', look)
        child.once('close', () => reject(new Error(`${program} ended: ${output()}`)))
        look()
      }),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** Starts a server, and waits until it listens on a port of 127.0.0.1. */
export async function runServer(
  program: string,
  args: readonly string[],
  port: number,
): Promise<RunningProgram> {
  const running = startProgram(program, args)
  let over = false
  running.line().catch(() => (over = true))
  while (!over && !(await listens(port))) await new Promise((resolve) => setTimeout(resolve, 20))
  if (over) throw new Error(`${program} ended: ${running.output()}`)
  return running
}

function outputOf(child: ChildProcess): () => string {
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (output += text))
  return () => output
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/** A port that was free a moment ago, for programs that cannot choose one by themselves. */
export async function freePort(): Promise<number> {
  const server = net.createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as net.AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
