// The packed package as a stranger meets it: installed by npm into an empty folder, used from JavaScript and from TypeScript,
// on Node 26 and on Node 24, and where code generation from strings is forbidden.

import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { node } from '../../scripts/judges.ts'
import { run } from '../../scripts/judges/cache.ts'
import { needs } from '../support/require.ts'
import { root } from './sources.ts'

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

describe('the packed package', () => {
  let folder: string
  let packed: { size: number; unpackedSize: number; files: { path: string }[] }

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'trunkline-package-'))
    const output = await run('npm', ['pack', '--json', '--pack-destination', folder], root)
    const [start, end] = [
      output.search(/^[[{]/m),
      Math.max(output.lastIndexOf(']'), output.lastIndexOf('}')) + 1,
    ]
    const described = JSON.parse(output.slice(start, end))
    packed = Array.isArray(described) ? described[0] : Object.values(described)[0]

    const { zod, typescript, '@types/node': types } = manifest.devDependencies
    const wanted = {
      trunkline: `file:./trunkline-${manifest.version}.tgz`,
      zod,
      typescript,
      '@types/node': types,
    }
    write('package.json', JSON.stringify({ private: true, type: 'module', dependencies: wanted }))
    cpSync(join(root, 'test', 'repository', 'package-smoke'), folder, { recursive: true })
    await run('npm', ['install', '--no-audit', '--no-fund'], folder)
  })

  after(() => rmSync(folder, { recursive: true, force: true }))

  const write = (name: string, text: string): void => {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), text)
  }

  test('holds what it should and nothing else', (t) => {
    const paths = packed.files.map((file) => file.path)
    for (const wanted of [
      'package.json',
      'README.md',
      'LICENSE',
      'NOTICE',
      'CHANGELOG.md',
      'dist/index.js',
      'dist/index.d.ts',
    ]) {
      assert.ok(paths.includes(wanted), `${wanted} is missing`)
    }

    const strange = paths.filter((path) =>
      /\.test|\.test-d|(?<!\.d)\.ts$|^(src|test|scripts|bench)\//.test(path),
    )
    assert.deepEqual(strange, [])

    const kilobytes = (bytes: number): string => `${Math.round(bytes / 1024)} KiB`
    const dependencies = Object.keys(manifest.dependencies)
    t.diagnostic(
      `packed ${kilobytes(packed.size)}, unpacked ${kilobytes(packed.unpackedSize)}, ${paths.length} files`,
    )
    console.log(
      `package: ${kilobytes(packed.size)} packed, ${kilobytes(packed.unpackedSize)} unpacked, ${paths.length} files, ` +
        `${dependencies.length} dependencies (${dependencies.join(', ')})`,
    )
  })

  test('type-checks from TypeScript: strict, with the declarations of the package checked too', async () => {
    await run(join(folder, 'node_modules', '.bin', 'tsc'), ['--project', folder, '--pretty', 'false'], folder)
  })

  test('works from JavaScript on this Node', async () => {
    assert.match(await run(process.execPath, ['smoke.js'], folder), /^works \d+$/m)
  })

  test('works on Node 24', async (t) => {
    const node24 = await needs(t, () => node(24))
    if (node24 === undefined) return
    assert.match(await run(node24, ['--version'], folder), /^v24\./)
    assert.match(await run(node24, ['smoke.js'], folder), /^works \d+$/m)
    assert.match(await run(node24, ['smoke.ts'], folder), /^works \d+$/m)
  })

  test('works from TypeScript, types stripped', async () => {
    assert.match(await run(process.execPath, ['smoke.ts'], folder), /^works \d+$/m)
  })

  test('works where code generation from strings is forbidden', async () => {
    const args = ['--disallow-code-generation-from-strings', 'smoke.js']
    assert.match(await run(process.execPath, args, folder), /^works \d+$/m)
  })

  test('its command runs', async () => {
    const command = join(folder, 'node_modules', '.bin', 'trunkline')
    assert.ok((statSync(command).mode & 0o100) !== 0, 'dist/cli/main.js is not executable')
    assert.match(await run(command, ['--help'], folder), /serve/)
  })
})
