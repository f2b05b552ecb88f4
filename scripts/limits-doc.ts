// docs/limits.md: every limit of servers and clients with its default, from src/call/limits.ts and src/http1/limits.ts.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defaultLimits } from '../src/call/limits.ts'
import { defaultHttp1ClientLimits, defaultHttp1Limits } from '../src/http1/limits.ts'

/** The page it writes. */
export const page = 'docs/limits.md'

/** The whole page. */
export default function limits(): string {
  const general = readSource('src/call/limits.ts')
  const http1 = readSource('src/http1/limits.ts')

  const rows = Object.entries(defaultLimits).map(([name, value]) => {
    const [meaning, beyond] = docOf(general, name).split(' Beyond: ')
    if (beyond === undefined)
      throw new Error(`src/call/limits.ts: ${name} does not say what happens beyond it`)
    return `| \`${name}\` | ${amount(name, value)} | ${meaning} | ${beyond} |`
  })

  const others = (defaults: object, after: string) =>
    (Object.entries(defaults) as [string, number][])
      .filter(([name]) => !(name in defaultLimits))
      .map(([name, value]) => `| \`${name}\` | ${amount(name, value)} | ${docOf(http1, name, after)} |`)
      .join('\n')

  return `# Limits

Written by \`npm run docs\` from the sources. Sizes are in bytes, times in milliseconds. Everything that a peer can make grow has
a finite limit. These can be changed with \`serve(…, { limits: { messageSize: 1024 * 1024 } })\` and
\`connect(…, { limits: { … } })\`; one that does not exist, is not a positive number, or is longer than a timer can wait (24.8
days) is refused with a RangeError.

| limit | default | what it bounds | beyond it |
| --- | ---: | --- | --- |
${rows.join('\n')}

A client has some more, which are options of \`connect\`: \`connectTimeout\` (5 s), \`waiting\` (1,000 calls a URL may wait for a
connection, over HTTP those that find all connections busy included; more are \`resource_exhausted\`, processed \`no\`).
A server's \`close\` and \`disconnect\` have their \`grace\` (10 s).

## HTTP/1.1

The engine takes \`headerSize\` and the times of the table above, and has these of its own, which are fixed.

| of a server's connection | | |
| --- | ---: | --- |
${others(defaultHttp1Limits, 'MessageLimits')}

| of a client's pool | | |
| --- | ---: | --- |
${others(
  Object.fromEntries(
    Object.entries(defaultHttp1ClientLimits).filter(([name]) => !(name in defaultHttp1Limits)),
  ),
  'Http1ClientLimits',
)}
| \`connections\` | ${defaultHttp1ClientLimits.connections} | ${docOf(http1, 'connections', 'Http1ClientLimits')} |

## trunk

What a frame, a handshake and a connection may have is part of the protocol: [docs/trunk-protocol.md](trunk-protocol.md).
`
}

function readSource(file: string): string {
  return readFileSync(join(import.meta.dirname, '..', file), 'utf8')
}

/** The doc comment of a member, in one line; the first behind the interface `after`. */
function docOf(source: string, name: string, after = ''): string {
  const from = after === '' ? 0 : source.indexOf(`interface ${after}`)
  const doc = new RegExp(`/\\*\\*(?<doc>(?:(?!\\*/)[\\s\\S])*)\\*/\\s*readonly ${name}:`).exec(
    source.slice(from),
  )?.groups?.['doc']
  if (doc === undefined) throw new Error(`the limit ${name} has no doc comment`)
  return doc.replaceAll(/\s*\n\s*\*\s*/g, ' ').trim()
}

function amount(name: string, value: number): string {
  if (/Timeout$|Margin$/.test(name))
    return value % 60_000 === 0 ? `${value / 60_000} min` : `${value / 1000} s`
  if (!/Size$|Window$|Line$|Ahead$|Extensions$/.test(name)) return value.toLocaleString('en-US')
  return value % 2 ** 20 === 0 ? `${value / 2 ** 20} MiB` : `${value / 2 ** 10} KiB`
}
