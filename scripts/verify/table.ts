// The table of features as README.md shows it.

import { WIRES, type Feature } from '../features.ts'

const START = '<!-- features: written by `npm run verify -- --write` -->'
const END = '<!-- /features -->'

/** The table in Markdown: a feature a line, a column a wire, the tests, the judge. */
export function featureTable(features: readonly Feature[]): string {
  const head = ['', ...WIRES, 'tests', 'foreign judge']
  const line = ['---', ...WIRES.map(() => ':-:'), '---', '---']

  const rows = features.map((feature) => [
    feature.feature,
    ...WIRES.map((wire) => (feature.wires === undefined ? '' : feature.wires.includes(wire) ? '✓' : '–')),
    `\`${feature.proof.files.replaceAll(/\/?\*\*.*$/g, '/')}\``,
    feature.judge?.by ?? '',
  ])

  return [head, line, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** The page with the table between its markers renewed. */
export function withTable(page: string, features: readonly Feature[]): string {
  const from = page.indexOf(START)
  const to = page.indexOf(END)
  if (from === -1 || to < from)
    throw new Error(`README.md has no place for the table: add the lines\n${START}\n${END}`)

  return `${page.slice(0, from)}${START}\n${featureTable(features)}\n${page.slice(to)}`
}
