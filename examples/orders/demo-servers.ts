/** The two server processes of the demo: `trunkline serve demo-service.ts`, started as children. */
import { type ChildProcess, fork } from 'node:child_process'
import net from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type ForeignCall, foreignCallsOf } from './demo-foreign.ts'

export interface ServerProcess {
  /** `127.0.0.1:7000` */
  readonly authority: string
  /** What it printed when it was ready. */
  readonly line: string
  /** Resolves with what happened, when it ends although nobody told it to. */
  readonly fallen: Promise<string>
  /** Calls the listener with each call that was not the demo's own. */
  onForeign(listener: (call: ForeignCall) => void): void
  /** Drains it. */
  end(): Promise<void>
}

const command = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const service = fileURLToPath(new URL('demo-service.ts', import.meta.url))

/** Starts servers on a port and those after it, or on free ones where these are taken. */
export async function startServers(firstPort: number, count: number): Promise<readonly ServerProcess[]> {
  const ports = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const port = firstPort === 0 ? 0 : firstPort + index
      return (await isFree(port)) ? port : 0
    }),
  )
  const started = await Promise.allSettled(ports.map(start))

  const failure = started.find((each) => each.status === 'rejected')
  const servers = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
  if (failure === undefined) return servers

  await Promise.all(servers.map((server) => server.end()))
  throw failure.reason
}

function start(port: number): Promise<ServerProcess> {
  // With the channel of fork(), a server ends when this process is gone, however that came about.
  const child = fork(command, ['serve', service, '--port', String(port), '--grace', '5s'], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const complaints: string[] = []
  createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => {
    if (isRemark(line)) return
    complaints.push(line)
    console.error(line)
  })

  return new Promise((resolve, reject) => {
    child.once('exit', (code) => {
      reject(new Error(`a server ended with code ${code} before it was ready: ${complaints.join('\n')}`))
    })
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).once('line', (line) => {
      const authority = / on (?<authority>\S+) \(/.exec(line)?.groups?.['authority']
      if (authority === undefined) reject(new Error(`a server said what is no ready line: ${line}`))
      else resolve(running(child, authority, line))
    })
  })
}

function running(child: ChildProcess, authority: string, line: string): ServerProcess {
  let told = false
  const exited = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => {
      if (!told) resolve(`the server ${authority} ended (${signal ?? `code ${code}`})`)
    })
  })

  return {
    authority,
    line,
    fallen: exited,
    onForeign(listener) {
      child.on('message', (message) => foreignCallsOf(message).forEach(listener))
    },
    end() {
      told = true
      if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
      // Ctrl-C has reached it already, as it reaches all processes of a terminal: a second signal would end it at once.
      if (child.connected) child.disconnect()
      return new Promise((resolve) => child.once('exit', () => resolve()))
    },
  }
}

/** Log lines below `error`: the table is what people look at. */
function isRemark(line: string): boolean {
  try {
    return (JSON.parse(line) as { level?: number }).level! < 50
  } catch {
    return line.trim() === ''
  }
}

function isFree(port: number): Promise<boolean> {
  if (port === 0) return Promise.resolve(true)

  return new Promise((resolve) => {
    const probe = net.createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}
