// Writes a scenario's report into docs/performance.md, between the markers of that scenario.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { dirname } from 'node:path'
import { targetTable } from './markdown.ts'
import type { Effort, Result, Scenario } from './scenario.ts'

const HEAD = `# Performance

Written by \`npm run bench -- <scenario>\`: each section is the last report of one scenario. Rates differ between machines and
between hours on one machine; what holds are ratios within one run and CPU time per call. All contenders of a table stay
alive and take turns (A B C A B C …); the spread of the rounds is given. Only verified replies count.
`

/** The section of one scenario: title, what is compared, machine and date, figures, promises. */
export function renderReport(name: string, scenario: Scenario, effort: Effort, result: Result): string {
  const parts = [
    `## ${scenario.title}`,
    scenario.about,
    `\`npm run bench -- ${name}\` · ${effort.rounds} rounds of ${effort.seconds} s · ${machine()}`,
    result.report,
  ]

  if (result.targets.length > 0) parts.push(targetTable(result.targets))
  return parts.join('\n\n')
}

/** Puts a section into the page, in place of the scenario's last one or at the end. */
export function writeReport(file: string, name: string, section: string): void {
  mkdirSync(dirname(file), { recursive: true })
  const page = existsSync(file) ? readFileSync(file, 'utf8') : HEAD
  writeFileSync(file, replaceSection(page, name, section))
}

/** The page with the section of one scenario replaced, or appended. */
export function replaceSection(page: string, name: string, section: string): string {
  const start = `<!-- bench:${name} -->`
  const end = `<!-- /bench:${name} -->`
  const block = `${start}\n${section}\n${end}`
  const from = page.indexOf(start)
  const to = page.indexOf(end)

  if (from === -1 || to < from) return `${page.trimEnd()}\n\n${block}\n`
  return page.slice(0, from) + block + page.slice(to + end.length)
}

/** The machine in words: processor, cores, memory, kernel, Node, date, and the commit that was measured. */
export function machine(): string {
  const processor = cpus()[0]?.model.trim() ?? 'unknown processor'
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`
  const date = new Date().toISOString().slice(0, 10)
  return [
    processor,
    `${availableParallelism()} cores`,
    memory,
    `Node ${process.version}`,
    date,
    commit(),
  ].join(', ')
}

function commit(): string {
  try {
    return `commit ${execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()}`
  } catch {
    return 'not in a repository'
  }
}
