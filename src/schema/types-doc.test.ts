import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

test('docs/types.md is what scripts/types-doc.ts writes', () => {
  const script = fileURLToPath(new URL('../../scripts/types-doc.ts', import.meta.url))
  const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' })

  assert.equal(status, 0, stderr)
})
