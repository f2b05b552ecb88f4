// What the test run prints: the names of failures at once, all of them at the end, skips with their reasons, the slowest files, the count.

import type { FileOutcome, TestOutcome } from './run-file.ts'

/** The report of one run; `file` prints as it goes, `summary` ends with the one line that counts. */
export interface Report {
  file(file: string, outcome: FileOutcome): void
  problem(file: string, detail: string): void
  failed(): boolean
  /** What every test did, by file. */
  outcomes(): Record<string, TestOutcome[]>
  summary(): string
}

/** Starts a report. With `skipsFail` a skipped test counts as failed. */
export function createReport(options: { skipsFail: boolean }): Report {
  const failures: string[] = []
  const skips: string[] = []
  const outcomes: Record<string, TestOutcome[]> = {}
  const times: { file: string; milliseconds: number }[] = []
  let passed = 0
  let skipped = 0

  function problem(file: string, detail: string): void {
    const text = `✗ ${file}\n${indent(detail)}`
    failures.push(text)
    console.log(`✗ ${file}`)
  }

  function file(name: string, outcome: FileOutcome): void {
    times.push({ file: name, milliseconds: outcome.milliseconds })
    outcomes[name] = outcome.tests
    const before = failures.length

    for (const test of outcome.tests) {
      if (test.state === 'passed') passed++
      else if (test.state === 'failed') problem(`${name}: ${test.name}`, test.detail)
      else if (options.skipsFail)
        problem(`${name}: ${test.name}`, `skipped, and nothing may be skipped: ${test.detail}`)
      else {
        skipped++
        skips.push(`  ${name}: ${test.name}\n    ${test.detail}`)
      }
    }

    const bad = failures.length - before
    const mark = bad > 0 ? `✗ ${bad} failed` : '✓'
    console.log(`${mark} ${name} (${outcome.tests.length} tests, ${seconds(outcome.milliseconds)})`)
    if (bad > 0 && outcome.output.trim() !== '') console.log(indent(`output:\n${tail(outcome.output)}`))
  }

  function summary(): string {
    const lines: string[] = ['']
    const slowest = times.toSorted((a, b) => b.milliseconds - a.milliseconds).slice(0, 5)

    if (slowest.length > 1) {
      lines.push(
        'Slowest files:',
        ...slowest.map((entry) => `  ${seconds(entry.milliseconds)} ${entry.file}`),
        '',
      )
    }

    if (skips.length > 0) lines.push(`SKIPPED (${skipped}):`, ...skips, '')
    if (failures.length > 0) lines.push(`FAILED (${failures.length}):`, ...failures, '')

    lines.push(`${passed} passed, ${failures.length} failed, ${skipped} skipped`)
    return lines.join('\n')
  }

  return { file, problem, failed: () => failures.length > 0, outcomes: () => outcomes, summary }
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`
}

function indent(text: string): string {
  return text.replace(/^/gm, '    ')
}

/** The last part of a long output: the cause of a failure stands at its end. */
function tail(text: string): string {
  const lines = text.trimEnd().split('\n')
  return lines.length <= 60
    ? lines.join('\n')
    : `… ${lines.length - 60} lines …\n${lines.slice(-60).join('\n')}`
}
