import assert from 'node:assert/strict'
import { existsSync, globSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { run } from '../../scripts/judges/cache.ts'
import { wrk } from '../../scripts/judges.ts'
import { needs } from '../support/require.ts'
import { root } from './sources.ts'

const scenarios = globSync('bench/scenarios/*.ts', { cwd: root }).sort()

describe('the benchmarks', () => {
  before(async () => {
    await run(process.execPath, [join('scripts', 'setup.mjs'), 'bench'], root)
  })

  test('type-check', async () => {
    assert.ok(existsSync(join(root, 'bench', 'node_modules')))
    await run(join(root, 'node_modules', '.bin', 'tsc'), ['--project', 'bench', '--pretty', 'false'], root)
  })

  // One short round each: whether it measures, not what it measures.
  for (const scenario of scenarios) {
    const name = scenario.replace(/^.*\/|\.ts$/g, '')

    test(`${name} measures`, { timeout: 120_000 }, async (t) => {
      if (name === 'rest-server' && (await needs(t, wrk)) === undefined) return
      const args = [
        join('bench', 'run.ts'),
        name,
        '--rounds',
        '1',
        '--seconds',
        '0.2',
        '--dry',
        '--no-verdict',
      ]
      assert.match(await run(process.execPath, args, root), /\| ---/)
    })
  }
})
