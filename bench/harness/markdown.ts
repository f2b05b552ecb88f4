// Markdown tables and figures of a report.

import type { Spread } from './statistics.ts'
import { isMet, type Target } from './scenario.ts'

/** A table; the first row is its head. Columns after the first are right-aligned. */
export function table(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows
  const line = head.map((_, column) => (column === 0 ? '---' : '---:'))
  return [head, line, ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** Three significant digits, thousands with a `k`: `1.23`, `45.6`, `789`, `12.3k`. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (value >= 10_000) return `${(value / 1000).toFixed(value >= 100_000 ? 0 : 1)}k`
  if (value >= 100) return value.toFixed(0)
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

/** `2.61× (2.48–2.70)` */
export function ratio(values: Spread): string {
  return `${figure(values.median)}× (${figure(values.min)}–${figure(values.max)})`
}

/** The promises of a scenario, and whether they hold. */
export function targetTable(targets: readonly Target[]): string {
  const rows = targets.map((target) => {
    const unit = target.unit ?? '×'
    const bound = target.atLeast === undefined ? `≤ ${target.atMost}${unit}` : `≥ ${target.atLeast}${unit}`
    return [target.what, bound, `${figure(target.measured)}${unit}`, isMet(target) ? 'met' : '**missed**']
  })

  return table([['promise', 'bound', 'measured (median)', ''], ...rows])
}
