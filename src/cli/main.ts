#!/usr/bin/env node
/** The process: words in, exit code out. */
import { run } from './run.ts'

// A reader that has seen enough (`trunkline … | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

const code = await run(process.argv.slice(2))

// A module that was loaded may have left timers or connections open: the command is over all the same.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)))
