import assert from 'node:assert/strict'
import { builtinModules } from 'node:module'
import { test } from 'node:test'
import { ARROWS, arrows, circles, isAllowed, roomOf } from './rooms.ts'
import { exists, importsOf, read, shippedSources } from './sources.ts'

const manifest = JSON.parse(read('package.json'))

test('imports between rooms follow the arrows', () => {
  const wrong = arrows()
    .filter((arrow) => !isAllowed(arrow.from, arrow.file))
    .map((arrow) => `${arrow.from}:${arrow.line} imports ${arrow.file}`)

  const allowed = Object.entries(ARROWS).map(
    ([room, targets]) => `${room} → ${targets.join(', ') || 'nothing'}`,
  )
  assert.deepEqual(wrong, [], `The rooms allow only:\n${allowed.join('\n')}`)
})

test('every folder of src is a room in the table', () => {
  const rooms = new Set(shippedSources().map(roomOf))
  const unknown = [...rooms].filter((room) => !(room in ARROWS))
  assert.deepEqual(
    unknown,
    [],
    'add the room to ARROWS in test/repository/rooms.ts and to docs/architecture.md',
  )
})

test('docs/architecture.md shows the same rooms and arrows', () => {
  const rows = [
    ...read('docs/architecture.md').matchAll(/^\| `(?<room>[\w-]+)\/` \|.*\| (?<open>[^|]*) \|$/gm),
  ]
  const shown = rows.map(({ groups }) => [groups!['room']!, words(groups!['open']!)] as const)
  const publicApi = ['testing', 'cli']

  const enforced = Object.entries(ARROWS)
    .filter(([room]) => room !== '(entry)')
    .map(
      ([room, open]) =>
        [
          room,
          publicApi.includes(room) ? ['public'] : [...new Set(open.map((target) => target.split('/')[0]!))],
        ] as const,
    )

  const sorted = (table: (readonly [string, readonly string[]])[]): Record<string, string> =>
    Object.fromEntries(table.map(([room, open]) => [room, open.toSorted().join(' ')]))
  assert.deepEqual(sorted(shown), sorted(enforced))
})

test('the table itself has no circle', () => {
  const edges = Object.entries(ARROWS).flatMap(([from, targets]) =>
    targets.map((target) => [from, target.split('/')[0]!] as const),
  )
  assert.deepEqual(circles(edges), [])
})

test('files import each other in no circle at run time', () => {
  const edges = arrows()
    .filter((arrow) => !arrow.typeOnly)
    .map((arrow) => [arrow.from, arrow.file] as const)
  assert.deepEqual(circles(edges), [])
})

test('every relative import leads to a file', () => {
  const lost = arrows().filter((arrow) => !exists(arrow.file))
  assert.deepEqual(
    lost.map((arrow) => `${arrow.from}:${arrow.line} imports ${arrow.specifier}`),
    [],
  )
})

test('what is shipped imports only declared packages, and optional peers as types only', () => {
  const dependencies = Object.keys(manifest.dependencies ?? {})
  const peers = Object.keys(manifest.peerDependencies ?? {})

  const wrong = shippedSources().flatMap((file) =>
    importsOf(file).flatMap((found) => {
      if (found.file !== undefined || isNode(found.specifier)) return []
      const name = packageOf(found.specifier)
      if (dependencies.includes(name)) return []
      if (peers.includes(name) && found.typeOnly) return []

      const why = peers.includes(name)
        ? 'at run time, but it is an optional peer'
        : 'which package.json does not declare'
      return [`${file}:${found.line} imports ${found.specifier} ${why}`]
    }),
  )

  assert.deepEqual(wrong, [])
})

test('imports are recognised in every form', () => {
  const text = [
    "import type { A } from './a.ts'",
    "import { type B, type C } from './b.ts'",
    "import { type D, e } from './d.ts'",
    'import {\n  f,\n  g,\n} from "./f.ts"',
    "export * from './h.ts'",
    "export type { I } from './i.ts'",
    "import './j.ts'",
    "  const k = await import('./k.ts')",
    " * import { l } from 'example'",
    "// import('m')",
    "import type from './n.ts'",
  ].join('\n')

  const seen = importsOf('src/x/y.ts', text).map(
    (found) => `${found.file} ${found.typeOnly ? 'type' : 'value'}`,
  )
  assert.deepEqual(seen, [
    'src/x/a.ts type',
    'src/x/b.ts type',
    'src/x/d.ts value',
    'src/x/f.ts value',
    'src/x/h.ts value',
    'src/x/i.ts type',
    'src/x/n.ts value',
    'src/x/j.ts value',
    'src/x/k.ts value',
  ])
})

test('a wire may not import another wire, and circles are found', () => {
  assert.equal(isAllowed('src/wires/rest/server.ts', 'src/wires/trunk/frame.ts'), false)
  assert.equal(isAllowed('src/wires/rest/server.ts', 'src/wires/rest/route.ts'), true)
  assert.equal(isAllowed('src/wires/rest/server.ts', 'src/wires/wire.ts'), true)
  assert.equal(isAllowed('src/server/serve.ts', 'src/wires/rest/server.ts'), false)
  assert.equal(isAllowed('src/schema/type.ts', 'src/contract/operation.ts'), false)
  assert.deepEqual(
    circles([
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'b'],
    ]),
    [['b', 'c', 'b']],
  )
})

/** The rooms that a cell of the page names; `wires by seam and list` is wires. */
function words(cell: string): string[] {
  return (cell.match(/\w+/g) ?? []).filter((word) => word in ARROWS || word === 'public')
}

function isNode(specifier: string): boolean {
  return (
    specifier.startsWith('node:') && builtinModules.includes(specifier.slice('node:'.length).split('/')[0]!)
  )
}

function packageOf(specifier: string): string {
  const parts = specifier.split('/')
  return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
}
