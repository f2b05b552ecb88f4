// The rooms of src/ and the arrows between them: who may import whom. docs/architecture.md has this table in
// words, which a test compares.

import { importsOf, shippedSources, type Import } from './sources.ts'

/**
 * A room and what it may import, besides itself. An entry is a room, or one file of a room where only that is open.
 * `(entry)` is src/index.ts, the public interface.
 */
export const ARROWS: Readonly<Record<string, readonly string[]>> = {
  schema: [],
  contract: ['schema'],
  codec: ['schema'],
  call: ['contract', 'schema'],
  http: [],
  http1: ['http'],
  http2: ['http'],
  wires: ['call', 'contract', 'schema', 'codec', 'http'],
  server: ['call', 'contract', 'http', 'http1', 'http2', 'telemetry', 'wires/wire.ts', 'wires/default.ts'],
  client: [
    'call',
    'contract',
    'http',
    'http1',
    'http2',
    'wires/wire.ts',
    'wires/default.ts',
    'wires/in-process/index.ts',
  ],
  telemetry: ['call', 'contract'],
  testing: ['(entry)', 'client', 'contract', 'server'],
  // Of what is not public the command line has the one rule for suggestions, so that all of them agree.
  cli: ['(entry)', 'testing', 'wires/index.ts', 'contract/nearest.ts'],
  '(entry)': [
    'call',
    'contract',
    'codec',
    'schema',
    'server',
    'client',
    'telemetry',
    'wires/wire.ts',
    'wires/index.ts',
  ],
}

/** The room of a file of src/. */
export function roomOf(file: string): string {
  const parts = file.split('/')
  return parts.length <= 2 ? '(entry)' : parts[1]!
}

/** Folders of wires/ that are no wires: what several wires have in common, and which of them may import it. */
export const FAMILIES: Readonly<Record<string, readonly string[]>> = {
  'grpc-family': ['grpc', 'grpc-web', 'connect'],
}

/** The wire that a file belongs to, if it lies in the folder of one. */
export function wireOf(file: string): string | undefined {
  return /^src\/wires\/(?<wire>[^/]+)\//.exec(file)?.groups?.['wire']
}

/** Whether the table allows an import from one file to another. */
export function isAllowed(from: string, to: string): boolean {
  const [room, target] = [roomOf(from), roomOf(to)]
  if (!to.startsWith('src/')) return false

  if (room === target) {
    const [wire, otherWire] = [wireOf(from), wireOf(to)]
    if (wire === undefined || otherWire === undefined || wire === otherWire) return true
    return FAMILIES[otherWire]?.includes(wire) === true
  }

  const open = ARROWS[room] ?? []
  return open.includes(target) || open.includes(to.slice('src/'.length))
}

/** All imports between files of src/. */
export function arrows(): (Import & { from: string; file: string })[] {
  return shippedSources().flatMap((from) =>
    importsOf(from).flatMap((found) =>
      found.file === undefined ? [] : [{ ...found, from, file: found.file }],
    ),
  )
}

/** Circles in a graph, each as the names along it; one circle per strongly connected part. */
export function circles(edges: readonly (readonly [string, string])[]): string[][] {
  const next = new Map<string, Set<string>>()
  for (const [from, to] of edges) {
    if (from !== to) next.set(from, (next.get(from) ?? new Set()).add(to))
  }

  const found: string[][] = []
  const done = new Set<string>()

  const walk = (node: string, path: string[]): void => {
    const at = path.indexOf(node)
    if (at !== -1) found.push([...path.slice(at), node])
    if (at !== -1 || done.has(node)) return

    for (const target of next.get(node) ?? []) walk(target, [...path, node])
    done.add(node)
  }

  for (const node of next.keys()) walk(node, [])
  return found
}
