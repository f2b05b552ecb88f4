// The test run: finds the tests, runs each file in a process of its own, and reports.
//
//   npm test                     src/**/*.test.ts and test/**/*.test.ts
//   npm test -- src/codec …      only files whose path starts with, or contains, one of these
//   npm run test:all             the foreign judges (*.judge.ts) as well; with --judges-only nothing else
//   … -- --results FILE          what every test did, as JSON, for `npm run verify`
//
// The last line is always `N passed, N failed, N skipped`, and the exit code is 0 only if nothing failed.
// With TRUNKLINE_REQUIRE=all a skipped test counts as failed.

import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { createReport } from './test/report.ts'
import { findTests } from './test/find.ts'
import { runFile } from './test/run-file.ts'

const root = new URL('..', import.meta.url).pathname
const args = process.argv.slice(2)
const all = args.includes('--all')
const resultsFile = valueOf('--results')
const filters = args.filter((argument) => !argument.startsWith('--') && argument !== resultsFile)

// Most of the run's time would be the start of its processes, which read and compile the same files again and again.
process.env['NODE_COMPILE_CACHE'] ??= join(root, 'node_modules', '.cache', 'trunkline-compiled')

const judgesOnly = args.includes('--judges-only')
const files = findTests(root, { judges: all, filters }).filter(
  (file) => !judgesOnly || file.endsWith('.judge.ts'),
)
const report = createReport({ skipsFail: process.env['TRUNKLINE_REQUIRE'] === 'all' })

if (files.length === 0) report.problem('(run)', `no test file matches ${filters.join(' ') || 'the project'}`)

// Judges start servers and measure: they run alone, after the rest.
const quick = files.filter((file) => !file.endsWith('.judge.ts'))
const judges = files.filter((file) => file.endsWith('.judge.ts'))

await runFiles(quick, Math.max(2, Math.min(availableParallelism(), 8)))
await runFiles(judges, 1)

if (resultsFile !== undefined) writeFileSync(resultsFile, JSON.stringify(report.outcomes()))
console.log(report.summary())
process.exit(report.failed() ? 1 : 0)

async function runFiles(queue: string[], workers: number): Promise<void> {
  const waiting = [...queue]

  const work = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const limit = file.endsWith('.judge.ts') ? 600_000 : 120_000
      report.file(file, await runFile(root, file, limit))
    }
  }

  await Promise.all(Array.from({ length: workers }, work))
}

function valueOf(option: string): string | undefined {
  const index = args.indexOf(option)
  return index === -1 ? undefined : args[index + 1]
}
