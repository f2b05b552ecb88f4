// docs/limits.md: every limit of servers and clients with its default, from src/call/limits.ts.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defaultLimits } from '../src/call/limits.ts'

/** The page it writes. */
export const page = 'docs/limits.md'

/** The whole page. */
export default function limits(): string {
  const source = readFileSync(join(import.meta.dirname, '..', 'src', 'call', 'limits.ts'), 'utf8')

  const rows = Object.entries(defaultLimits).map(([name, value]) => {
    const doc = new RegExp(`/\\*\\*(?<doc>(?:(?!\\*/)[\\s\\S])*)\\*/\\s*readonly ${name}:`).exec(source)
      ?.groups?.['doc']
    if (doc === undefined) throw new Error(`src/call/limits.ts: ${name} has no doc comment`)
    return `| \`${name}\` | ${amount(name, value)} | ${doc.replaceAll(/\s*\n\s*\*\s*/g, ' ').trim()} |`
  })

  return `# Limits

Written by \`npm run docs\` from \`src/call/limits.ts\`. Every limit has a finite default; change some with
\`serve(…, { limits: { messageSize: 1024 * 1024 } })\` and \`connect(…, { limits: { … } })\`. Sizes are in bytes, times in milliseconds.

| limit | default | what it bounds |
| --- | ---: | --- |
${rows.join('\n')}
`
}

function amount(name: string, value: number): string {
  if (name.endsWith('Timeout')) return value % 60_000 === 0 ? `${value / 60_000} min` : `${value / 1000} s`
  if (!/Size$|Window$/.test(name)) return value.toLocaleString('en-US')
  return value % 2 ** 20 === 0 ? `${value / 2 ** 20} MiB` : `${value / 2 ** 10} KiB`
}
