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
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    'no-verdict': { type: 'boolean', default: false },
    dry: { type: 'boolean', default: false },
  },
})

const names = readdirSync(join(here, 'scenarios'))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -'.ts'.length))

const [name] = positionals

if (name === undefined || !names.includes(name)) {
  console.error(
    `${name === undefined ? 'Which scenario?' : `There is no scenario ${name}.`} There are: ${names.join(', ')}`,
  )
  process.exit(2)
}

try {
  const { default: scenario } = (await import(`./scenarios/${name}.ts`)) as { default: Scenario }
  const usual = scenario.effort ?? { rounds: 7, seconds: 1 }
  const effort = {
    rounds: Number(values.rounds ?? usual.rounds),
    seconds: Number(values.seconds ?? usual.seconds),
  }
  if (!(effort.rounds >= 1) || !(effort.seconds > 0)) {
    throw new RangeError('--rounds must be at least 1 and --seconds more than 0')
  }

  const result = await scenario.run(effort)
  const section = renderReport(name, scenario, effort, result)

  console.log(`\n${section}\n`)
  if (!values.dry) writeReport(join(here, '..', 'docs', 'performance.md'), name, section)
  process.exitCode = values['no-verdict'] || result.targets.every(isMet) ? 0 : 1
} catch (error) {
  console.error(error)
  process.exitCode = 2
}
