// docs/limits.md: every limit of servers and clients with its default, from src/call/limits.ts and src/http1/limits.ts.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defaultLimits } from '../src/call/limits.ts'
import { defaultHttp2ClientLimits, defaultHttp2ServerLimits } from '../src/http2/limits.ts'
import { defaultHttp1ClientLimits, defaultHttp1Limits } from '../src/http1/limits.ts'

/** The page it writes. */
export const page = 'docs/limits.md'

/** The whole page. */
export default function limits(): string {
  const general = readSource('src/call/limits.ts')
  const http1 = readSource('src/http1/limits.ts')
  const http2 = readSource('src/http2/limits.ts')

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

## HTTP/2

Its windows begin smaller than those of the table above and grow as far as the connection can fill them. What else it has is fixed,
but for the times that \`serve(…, { http2 })\` and \`connect(…, { http2 })\` take: \`keepaliveTime\`, \`keepaliveTimeout\`,
\`pingInterval\`, and \`age\` as \`connectionAge\`.

| of a server's connection | | |
| --- | ---: | --- |
${engine(http2, defaultHttp2ServerLimits, {})}

| of a client's connection, where it differs | | |
| --- | ---: | --- |
${engine(http2, defaultHttp2ClientLimits, defaultHttp2ServerLimits)}

## trunk

What a frame, a handshake and a connection may have is part of the protocol: [docs/trunk-protocol.md](trunk-protocol.md).
`
}

/** The limits of an engine that are not the general ones, and not the same in `but`. */
function engine(source: string, defaults: object, same: object): string {
  const but = same as Partial<Record<string, number>>
  return (Object.entries(defaults) as [string, number][])
    .filter(([name, value]) => (!(name in defaultLimits) || name in but) && but[name] !== value)
    .map(([name, value]) => `| \`${name}\` | ${amount(name, value)} | ${docOf(source, name)} |`)
    .join('\n')
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
  if (value === Number.POSITIVE_INFINITY) return 'none'
  if (/Timeout$|Margin$|Time$|Interval$|Grace$|^drainDelay$/.test(name))
    return value % 60_000 === 0 ? `${value / 60_000} min` : `${value / 1000} s`
  if (!/Size$|Window$|Line$|Ahead$|Extensions$/.test(name)) return value.toLocaleString('en-US')
  return value % 2 ** 20 === 0 ? `${value / 2 ** 20} MiB` : `${value / 2 ** 10} KiB`
}
