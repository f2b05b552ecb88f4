/** The live table: in place on a terminal, else lines that can be read later. */
import type { Row, Statistics } from './demo-statistics.ts'

const columns = ['wire', 'server', 'calls/s', 'p50 ms', 'p99 ms', 'calls', 'faults'] as const

/** The table as lines. Pure. */
export function tableLines(rows: readonly Row[]): string[] {
  const cells = rows.map(({ wire, server, rate, p50, p99, calls, faults }) => [
    wire,
    server,
    rate.toFixed(0),
    Number.isNaN(p50) ? '–' : p50.toFixed(2),
    Number.isNaN(p99) ? '–' : p99.toFixed(2),
    String(calls),
    String(faults),
  ])
  const widths = columns.map((name, index) =>
    Math.max(name.length, ...cells.map((row) => row[index]?.length ?? 0)),
  )
  const line = (row: readonly string[]) =>
    row
      .map((cell, index) => (index < 2 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0)))
      .join('  ')

  return [columns, ...cells].map(line)
}

/** Prints the table once a second. */
export function startTable(
  statistics: Statistics,
  output: NodeJS.WriteStream = process.stdout,
): { end(): void } {
  let since = performance.now()
  let shown = 0

  const timer = setInterval(() => {
    const now = performance.now()
    const lines = tableLines(statistics.take((now - since) / 1000))
    since = now

    if (output.isTTY) {
      const back = shown === 0 ? '' : `\u001B[${shown}A`
      output.write(`${back}${lines.map((line) => `\u001B[2K${line}\n`).join('')}`)
      shown = lines.length
    } else output.write(`${lines.join('\n')}\n\n`)
  }, 1000)

  return { end: () => clearInterval(timer) }
}
