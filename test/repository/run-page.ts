// Runs the files of one page, one after the other, in this process: `node run-page.ts FILE…`. Prints one line of JSON a
// file: `{ "file", "error" }`, and exits, whatever is still listening.

import { pathToFileURL } from 'node:url'

const LIMIT = 20_000
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
  const text = failures.splice(0).map((error) => (error instanceof Error ? error.stack : String(error)))
  process.stdout.write(`\n@@${JSON.stringify({ file, error: text.join('\n') })}\n`)
}

process.exit(0)
