import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { exists, read, root } from './sources.ts'

const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\0')
  .filter((file) => file !== '' && exists(file))
  .filter((file) => /\.(ts|mjs|js|json|md|yml|yaml|py|go|sh)$|^\.npmrc$|^\.ci\//.test(file))

test('no file names the host of a package registry: the user’s own is asked', () => {
  const host = new RegExp(
    ['registry', 'npmjs', 'org'].join('\\.') +
      '|' +
      ['proxy', 'golang', 'org'].join('\\.') +
      '|' +
      ['repo1?', 'maven'].join('\\.'),
  )
  const wrong = files.filter((file) => host.test(read(file)))
  assert.deepEqual(wrong, [])
})

test('no file names a path of somebody’s machine', () => {
  const path = new RegExp(['(?<![\\w.])/home/\\w', '/Users/\\w', '(?<![\\w.])/work/\\w'].join('|'))
  const wrong = files.filter((file) => path.test(read(file)))
  assert.deepEqual(wrong, [])
})

test('nothing is left undone in the sources', () => {
  const word = new RegExp(`\\b(${['TO', 'DO'].join('')}|${['FIX', 'ME'].join('')})\\b`)
  const wrong = files.filter((file) => file.endsWith('.ts') && word.test(read(file)))
  assert.deepEqual(wrong, [])
})
