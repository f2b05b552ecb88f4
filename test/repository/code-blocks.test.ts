import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import {
  documentPages,
  examplePages,
  filesOf,
  withExpectations,
  withPorts,
  type CodeFile,
  type Page,
} from './code-blocks.ts'
import { root } from './sources.ts'

// Inside the repository, so that 'trunkline' is the package itself and 'zod' is found.
const folder = join(root, 'test', 'repository', '.generated')
const documents = documentPages()
const examples = examplePages()
const pages = [...documents, ...examples]

describe('code of README.md, docs/ and doc comments', () => {
  before(async () => {
    rmSync(folder, { recursive: true, force: true })
    const ports = await freePorts(20)
    for (const page of pages) {
      for (const file of page.files) write(pathOf(page, file), withExpectations(withPorts(file.code, ports)))
    }

    const tsconfig = {
      extends: '../../../tsconfig.json',
      compilerOptions: { noUnusedLocals: false, noUnusedParameters: false },
      include: [],
      // Named one by one: patterns leave out folders whose names begin with a dot.
      files: ['globals.d.ts', ...pages.flatMap((page) => page.files.map((file) => pathOf(page, file)))],
    }
    write(
      join(folder, 'globals.d.ts'),
      'declare function __logExpecting(expected: string, ...values: unknown[]): void\n',
    )
    write(join(folder, 'tsconfig.json'), JSON.stringify(tsconfig))
  })

  test('compiles', () => {
    const tsc = join(root, 'node_modules', '.bin', 'tsc')
    const args = ['--project', folder, '--noEmit', '--pretty', 'false']
    const { status, stdout } = spawnSync(tsc, args, { cwd: folder, encoding: 'utf8' })
    assert.equal(status, 0, withOrigins(stdout))
  })

  for (const page of documents) {
    test(`${page.id} runs as printed`, async () => {
      assert.deepEqual(
        await runFiles(page.files.filter((file) => file.run).map((file) => pathOf(page, file))),
        [],
      )
    })
  }

  test('every @example of a public symbol runs', async () => {
    const files = examples.flatMap((page) =>
      page.files.filter((file) => file.run).map((file) => pathOf(page, file)),
    )
    assert.deepEqual(await runFiles(files), [])
  })
})

test('a page is cut into files by the names that its blocks carry', () => {
  const page = [
    '```ts',
    '// a.ts — first',
    'export const a = 1',
    '```',
    'text',
    '```ts no-run',
    'import { a } from "./a.ts"',
    '```',
    '```ts',
    '// a.ts',
    'export const b = 2',
    '```',
    '```ts no-check',
    'nonsense',
    '```',
    '```sh',
    'ls',
    '```',
  ].join('\n')

  assert.deepEqual(filesOf(page, 'x.md'), [
    {
      name: 'a.ts',
      code: '// a.ts — first\nexport const a = 1\n\n// a.ts\nexport const b = 2\n',
      run: true,
      origin: 'x.md:1',
    },
    { name: 'block-6.ts', code: 'import { a } from "./a.ts"\n', run: false, origin: 'x.md:6' },
  ])
})

test('what a console.log prints is compared with the comment behind it', () => {
  assert.equal(withExpectations("console.log(a, f(')')) // 1 … 2"), '__logExpecting("1 … 2", a, f(\')\'))')
  assert.equal(withExpectations('console.log(a)'), 'console.log(a)')
})

test('ports of a page are replaced, each by the same', () => {
  assert.equal(withPorts('7000 7001 7000 17000 70000', [5, 6]), '5 6 5 17000 70000')
})

function pathOf(page: Page, file: CodeFile): string {
  return join(folder, page.id, file.name)
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

/** What failed, as `origin: error`. */
async function runFiles(files: readonly string[]): Promise<string[]> {
  if (files.length === 0) return []

  const script = join(root, 'test', 'repository', 'run-page.ts')
  const args = ['--conditions=trunkline-source', script, ...files]
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const options = { env, timeout: 90_000, killSignal: 'SIGKILL', maxBuffer: 2 ** 26, cwd: folder } as const
  const { stdout } = await promisify(execFile)(process.execPath, args, options)

  const results = stdout
    .split('\n')
    .filter((line) => line.startsWith('@@'))
    .map((line) => JSON.parse(line.slice(2)) as { file: string; error: string })

  assert.equal(results.length, files.length, `a file ended the process:\n${stdout}`)
  return results
    .filter((result) => result.error !== '')
    .map((result) => withOrigins(`${result.file}: ${result.error}`))
}

/** Names the page and line behind every generated file that a text mentions. */
function withOrigins(text: string): string {
  const mentioned = pages.flatMap((page) =>
    page.files
      .filter((file) => text.includes(`${page.id}/${file.name}`))
      .map((file) => `  ${page.id}/${file.name} is ${file.origin}`),
  )
  return `${text}\n${mentioned.join('\n')}`
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
