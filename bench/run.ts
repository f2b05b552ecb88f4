// npm run bench -- <scenario> [--rounds n] [--seconds s] [--dry] [--no-verdict]
//
// Runs one scenario of bench/scenarios, prints its report and writes it into docs/performance.md (not with --dry).
// Exit code 0 when every promise of the scenario is kept (or with --no-verdict), 1 when one is missed, 2 when it could not be measured.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { renderReport, writeReport } from './harness/report.ts'
import { isMet, type Scenario } from './harness/scenario.ts'

const here = import.meta.dirname
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '1' },
    'no-verdict': { type: 'boolean', default: false },
    dry: { type: 'boolean', default: false },
  },
})

const names = readdirSync(join(here, 'scenarios'))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -'.ts'.length))

const [name] = positionals
const effort = { rounds: Number(values.rounds), seconds: Number(values.seconds) }

if (name === undefined || !names.includes(name)) {
  console.error(
    `${name === undefined ? 'Which scenario?' : `There is no scenario ${name}.`} There are: ${names.join(', ')}`,
  )
  process.exit(2)
}

if (!(effort.rounds >= 1) || !(effort.seconds > 0)) {
  console.error('--rounds must be at least 1 and --seconds more than 0')
  process.exit(2)
}

try {
  const { default: scenario } = (await import(`./scenarios/${name}.ts`)) as { default: Scenario }
  const result = await scenario.run(effort)
  const section = renderReport(name, scenario, effort, result)

  console.log(`\n${section}\n`)
  if (!values.dry) writeReport(join(here, '..', 'docs', 'performance.md'), name, section)
  process.exitCode = values['no-verdict'] || result.targets.every(isMet) ? 0 : 1
} catch (error) {
  console.error(error)
  process.exitCode = 2
}
