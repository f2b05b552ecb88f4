import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { root } from './sources.ts'

test('the whole project type-checks: sources, type tests (*.test-d.ts), tests, examples, scripts', () => {
  const tsc = join(root, 'node_modules', '.bin', 'tsc')
  const { status, stdout, stderr } = spawnSync(tsc, ['--noEmit', '--pretty', 'false'], {
    cwd: root,
    encoding: 'utf8',
  })
  assert.equal(status, 0, `${stdout}${stderr}`)
})
