import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { FEATURES } from '../../scripts/features.ts'
import { verify } from '../../scripts/verify/judge.ts'
import { withTable } from '../../scripts/verify/table.ts'
import { root } from './sources.ts'

test('generated pages are current, README’s table of features among them', () => {
  const args = ['--conditions=trunkline-source', join('scripts', 'docs.ts'), '--check']
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', env })
  assert.equal(status, 0, stderr)
})

test('the table goes between its markers and stays there', () => {
  const page =
    'before\n<!-- features: written by `npm run verify -- --write` -->\nold\n<!-- /features -->\nafter\n'
  const once = withTable(page, FEATURES)
  assert.match(once, /^before\n[\s\S]*\| Contracts with exact types \|[\s\S]*\nafter\n$/)
  assert.doesNotMatch(once, /\nold\n/)
  assert.equal(withTable(once, FEATURES), once)
  assert.throws(() => withTable('no markers', FEATURES), /add the lines/)
})

test('a feature is proved only by tests that ran and passed, on each of its wires', () => {
  const feature = {
    feature: 'x',
    wires: ['trunk', 'REST'],
    proof: { files: 'test/cross-wire/**', name: /deadline/ },
  } as const
  const passed = { state: 'passed', detail: '' } as const
  const file = 'test/cross-wire/deadline.test.ts'
  const state = (tests: { name: string; state: 'passed' | 'failed' | 'skipped'; detail: string }[]): string =>
    verify(feature, new Map([[file, tests]])).verdict.state

  assert.equal(
    state([
      { name: 'a deadline holds, over trunk', ...passed },
      { name: 'a deadline holds, over REST', ...passed },
    ]),
    'passed',
  )
  assert.equal(state([{ name: 'a deadline holds, over trunk', ...passed }]), 'failed')
  assert.equal(
    state([
      { name: 'a deadline holds, over trunk', ...passed },
      { name: 'a deadline holds, over REST', state: 'skipped', detail: 'no tool' },
    ]),
    'skipped',
  )
  assert.equal(state([]), 'failed')
})
