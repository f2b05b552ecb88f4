// The folder of fetched tools: made once each, also when several tests ask at the same time.

import { spawn } from 'node:child_process'
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Where fetched tools are kept. */
export function cacheFolder(): string {
  return process.env['TRUNKLINE_CACHE'] ?? join(homedir(), '.cache', 'trunkline')
}

/**
 * The path that `make` returned when it was run for this name, on this machine, for the first time. Others who ask
 * meanwhile wait; a lock whose owner is gone is taken over; what a failed attempt left is removed.
 */
export async function once(name: string, make: (folder: string) => Promise<string>): Promise<string> {
  const folder = join(cacheFolder(), name)
  const done = `${folder}.path`
  const lock = `${folder}.lock`
  mkdirSync(cacheFolder(), { recursive: true })

  for (;;) {
    const path = made(done)
    if (path !== undefined) return path
    if (take(lock)) break
    await sleep(200)
  }

  try {
    // Whoever held the lock before may have made it while this one waited.
    const path = made(done) ?? (await retried(name, folder, make))
    writeFileSync(done, path)
    return path
  } finally {
    rmSync(lock, { force: true })
  }
}

function made(done: string): string | undefined {
  if (!existsSync(done)) return undefined
  const path = readFileSync(done, 'utf8')
  return existsSync(path) ? path : undefined
}

/** Creates the lock file, with this process's id in it; removes one whose process no longer runs. */
function take(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' })
    return true
  } catch {
    if (isStale(lock)) rmSync(lock, { force: true })
    return false
  }
}

function isStale(lock: string): boolean {
  try {
    const owner = Number(readFileSync(lock, 'utf8'))
    if (owner === 0) return Date.now() - statSync(lock).mtimeMs > 5000
    process.kill(owner, 0)
    return false
  } catch (error) {
    // ESRCH: no such process. ENOENT: the lock has just been given back.
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

const ATTEMPTS = 3

async function retried(
  name: string,
  folder: string,
  make: (folder: string) => Promise<string>,
): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })

    try {
      const path = await make(folder)
      accessSync(path, constants.X_OK)
      return path
    } catch (error) {
      if (attempt < ATTEMPTS) {
        await sleep(2000 * attempt)
        continue
      }

      rmSync(folder, { recursive: true, force: true })
      const reason = error instanceof Error ? error.message : String(error)
      throw new Error(`${name} could not be fetched (${ATTEMPTS} attempts): ${reason}`, { cause: error })
    }
  }
}

/** Runs a program to its end; rejects with the end of its output when it fails. */
export function run(program: string, args: readonly string[], cwd?: string): Promise<string> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 300_000 })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text))

  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      if (code === 0) resolve(output)
      else
        reject(new Error(`${program} ${args.join(' ')} ended with ${code ?? signal}\n${output.slice(-2000)}`))
    })
  })
}

/** The path of a program, if the machine has it. */
export function onPath(program: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  return folders.map((folder) => join(folder, program)).find((path) => isProgram(path))
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
