/** The command line as a child process, for tests. */
import { type ChildProcess, type ForkOptions, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../', import.meta.url))
export const ordersService = join(root, 'examples/orders/service.ts')
export const ordersContract = join(root, 'examples/orders/contract.ts')

const command = ['--conditions=trunkline-source', join(root, 'src/cli/main.ts')]

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly stdin?: string
  readonly env?: Readonly<Record<string, string>>
}

/** Runs `trunkline …` to its end. */
export function trunkline(words: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return finished(start([...command, ...words], options), options.stdin ?? '')
}

/** Runs a script of the project to its end. */
export function script(file: string, words: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const child = start(['--conditions=trunkline-source', join(root, file), ...words], options)
  return finished(child, options.stdin ?? '')
}

/** Runs a line of a shell to its end. */
export function shell(line: string): Promise<Outcome> {
  return finished(spawn('sh', ['-c', line], { cwd: root, env: environment({}) }), '')
}

/** A process that goes on until it is told to end. */
export interface Running extends AsyncDisposable {
  readonly child: ChildProcess
  readonly stderr: () => string
  /** The next line on stdout; throws what is on stderr when the process ends instead. */
  line(): Promise<string>
  /** Lines up to the first one that fits, that one included. */
  until(pattern: RegExp): Promise<readonly string[]>
  /** Resolves when the process has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>
}

/** Starts `trunkline …`. */
export function running(
  words: readonly string[],
  options: RunOptions & { readonly ipc?: boolean } = {},
): Running {
  return watched(start([...command, ...words], options))
}

/** Starts a script of the project. */
export function runningScript(file: string, words: readonly string[], options: RunOptions = {}): Running {
  return watched(start(['--conditions=trunkline-source', join(root, file), ...words], options))
}

function watched(child: ChildProcess): Running {
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]()
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })

  async function line(): Promise<string> {
    const { value, done } = await lines.next()
    if (done !== true) return value
    throw new Error(`the process ended: ${stderr}`)
  }

  return {
    child,
    ended,
    line,
    stderr: () => stderr,
    async until(pattern) {
      const seen: string[] = []
      do seen.push(await line())
      while (!pattern.test(seen.at(-1) as string))
      return seen
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await ended
    },
  }
}

/** A folder of its own with files in it, in which `trunkline` and `zod` can be imported. */
export function folder(files: Readonly<Record<string, string>>): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'trunkline-'))
  const modules = join(path, 'node_modules')
  symlinkSync(join(root, 'node_modules'), modules)
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(path, name), text.replaceAll(`'trunkline'`, `'${join(root, 'src/index.ts')}'`))
  }
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) }
}

function start(words: readonly string[], options: RunOptions & { readonly ipc?: boolean }): ChildProcess {
  const stdio: ForkOptions['stdio'] = [
    'pipe',
    'pipe',
    'pipe',
    ...(options.ipc === true ? (['ipc'] as const) : []),
  ]
  return spawn(process.execPath, [...words], {
    cwd: options.cwd ?? root,
    env: environment(options.env ?? {}),
    stdio,
  })
}

function environment(more: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _context, ...rest } = process.env
  return { ...rest, NO_COLOR: '1', ...more }
}

async function finished(child: ChildProcess, stdin: string): Promise<Outcome> {
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdin?.on('error', () => {})
  child.stdin?.end(stdin)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, stdout, stderr }
}
