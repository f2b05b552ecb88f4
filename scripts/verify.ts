// npm run verify                     runs the tests of every feature and prints feature → tests → judge → state
//   -- --write                       renews the table in README.md, without running anything
//   -- --check                       says whether that table is current, without running anything
//   -- --results FILE [--results …]  takes what `npm test -- --results FILE` wrote, instead of running

import { readFileSync, writeFileSync } from 'node:fs'
import { join, matchesGlob } from 'node:path'
import { parseArgs } from 'node:util'
import { FEATURES } from './features.ts'
import { findTests } from './test/find.ts'
import { runFile, type TestOutcome } from './test/run-file.ts'
import { verify, type Verdict, type Verified } from './verify/judge.ts'
import { withTable } from './verify/table.ts'

const root = join(import.meta.dirname, '..')
const readme = join(root, 'README.md')

const { values } = parseArgs({
  options: {
    write: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    results: { type: 'string', multiple: true },
  },
})

if (values.write || values.check) {
  const page = readFileSync(readme, 'utf8')
  const renewed = withTable(page, FEATURES)
  if (values.write) writeFileSync(readme, renewed)

  if (values.check && renewed !== page) {
    console.error('The table of features in README.md is not current: run `npm run verify -- --write`.')
    process.exit(1)
  }
} else {
  const outcomes = values.results === undefined ? await runAll() : readResults(values.results)
  const verified = FEATURES.map((feature) => verify(feature, outcomes))
  print(verified)

  const states = verified.map(stateOf)
  const count = (state: Verdict['state']): number => states.filter((each) => each === state).length
  console.log(`\n${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`)
  process.exitCode = count('failed') > 0 ? 1 : 0
}

async function runAll(): Promise<Map<string, TestOutcome[]>> {
  const outcomes = new Map<string, TestOutcome[]>()
  const globs = FEATURES.flatMap(({ proof, judge }) =>
    judge === undefined ? [proof.files] : [proof.files, judge.files],
  )

  for (const file of findTests(root, { judges: true, filters: [] })) {
    if (!globs.some((glob) => matchesGlob(file, glob))) continue
    process.stderr.write(`${file} …\n`)
    const outcome = await runFile(root, file, file.endsWith('.judge.ts') ? 600_000 : 120_000)
    outcomes.set(file, outcome.tests)
  }

  return outcomes
}

function readResults(files: readonly string[]): Map<string, TestOutcome[]> {
  return new Map(
    files.flatMap((file) => Object.entries(JSON.parse(readFileSync(file, 'utf8')))) as [
      string,
      TestOutcome[],
    ][],
  )
}

/** A feature counts as proved when its tests and its judge passed; a skipped judge is not a failure. */
function stateOf({ verdict, judge }: Verified): Verdict['state'] {
  if (verdict.state === 'failed' || judge?.state === 'failed') return 'failed'
  return verdict.state === 'skipped' || judge?.state === 'skipped' ? 'skipped' : 'passed'
}

function print(verified: readonly Verified[]): void {
  for (const { feature, verdict, judge } of verified) {
    const mark = { passed: '✓', failed: '✗', skipped: '–' }[stateOf({ feature, verdict, judge })]
    const wires = feature.wires === undefined ? '' : ` [${feature.wires.join(', ')}]`

    console.log(`${mark} ${feature.feature}${wires}`)
    console.log(`    tests   ${verdict.state}: ${verdict.why}`)
    if (judge !== undefined) console.log(`    judge   ${judge.state}: ${feature.judge!.by} (${judge.why})`)
  }
}
