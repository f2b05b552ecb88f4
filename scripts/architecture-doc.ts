// The table of arrows in docs/architecture.md, from the one that the test run enforces.

import { ARROWS } from '../test/repository/rooms.ts'

const START = '<!-- arrows: written by `npm run docs` -->'
const END = '<!-- /arrows -->'

/** The page it writes. */
export const page = 'docs/architecture.md'

/** The page with its table renewed. */
export default function architecture(current: string): string {
  const from = current.indexOf(START)
  const to = current.indexOf(END)
  if (from === -1 || to < from)
    throw new Error(`${page} has no place for the table: add the lines\n${START}\n${END}`)

  const rows = Object.entries(ARROWS).map(([room, targets]) => {
    const name = room === '(entry)' ? '`index.ts`' : `\`${room}/\``
    const list = targets.map((target) => (target === '(entry)' ? '`index.ts`' : `\`${target}\``))
    return `| ${name} | ${list.join(', ') || 'nothing'} |`
  })

  const table = ['| room | imports |', '| --- | --- |', ...rows].join('\n')
  return `${current.slice(0, from)}${START}\n${table}\n${current.slice(to)}`
}
