/** The command line within the process of a test: what it prints, and its exit code. */
import { mock } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { run } from '../../src/cli/run.ts'
import type { Outcome } from './command.ts'

/** Runs a command line to its end. Not for commands that wait for signals. */
export async function runHere(words: readonly string[]): Promise<Outcome> {
  let stdout = ''
  let stderr = ''
  const log = mock.method(console, 'log', (text: string) => void (stdout += `${text}\n`))
  const error = mock.method(console, 'error', (text: string) => void (stderr += `${text}\n`))
  const write = process.stdout.write.bind(process.stdout)
  const written = mock.method(process.stdout, 'write', (text: string | Uint8Array, ...rest: unknown[]) => {
    // The test runner's own reports are bytes.
    if (typeof text !== 'string') return (write as (...all: unknown[]) => boolean)(text, ...rest)
    stdout += text
    return true
  })

  try {
    const code = await run(words)
    return { code, stdout, stderr: stripVTControlCharacters(stderr) }
  } finally {
    for (const mocked of [log, error, written]) mocked.mock.restore()
  }
}
