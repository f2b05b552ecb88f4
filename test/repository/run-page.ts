// Runs the files of one page, one after the other, in this process: `node run-page.ts FILE…`. Prints one line of JSON a
// file: `{ "file", "error" }`, and exits, whatever is still listening.

import { pathToFileURL } from 'node:url'
import { format, inspect } from 'node:util'

const LIMIT = 20_000

Object.assign(globalThis, { __logExpecting: logExpecting })
const failures: unknown[] = []
process.on('uncaughtException', (error) => failures.push(error))
process.on('unhandledRejection', (error) => failures.push(error))

for (const file of process.argv.slice(2)) {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`did not end within ${LIMIT / 1000} s`)), LIMIT)
  })

  try {
    await Promise.race([import(pathToFileURL(file).href), late])
  } catch (error) {
    failures.push(error)
  }

  clearTimeout(timer)
  await new Promise((resolve) => setImmediate(resolve))
  const text = failures.splice(0).map(describe)
  process.stdout.write(`\n@@${JSON.stringify({ file, error: text.join('\n') })}\n`)
}

process.exit(0)

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return String(error.stack).replaceAll(/\n\s+at [^\n]*(?:node:|run-page)[^\n]*/g, '')
}

/** Stands in for `console.log(…values) // expected`. */
function logExpecting(expected: string, ...values: unknown[]): void {
  console.log(...values)
  const printed = [format(...values), values.map((value) => inspect(value)).join(' ')].map(squeeze)
  const pattern = new RegExp(
    `^${squeeze(expected)
      .split('…')
      .map((part) => RegExp.escape(part))
      .join('.*')}$`,
    's',
  )
  if (printed.some((text) => pattern.test(text))) return

  failures.push(new Error(`printed ${printed[0]}, but the comment says ${expected}`))
}

function squeeze(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}
