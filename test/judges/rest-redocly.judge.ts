// redocly lints the OpenAPI document.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { contractInfo } from 'trunkline'
import { exportOpenApi } from 'trunkline/wires'
import { Orders } from '../../examples/orders/contract.ts'
import { redocly } from '../../scripts/judges.ts'
import { needs } from '../support/require.ts'

test('redocly accepts the OpenAPI document of the reference contract', async (t) => {
  const program = await needs(t, redocly)
  if (program === undefined) return

  const folder = mkdtempSync(join(tmpdir(), 'trunkline-openapi-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'openapi.json')
  writeFileSync(file, JSON.stringify(exportOpenApi([contractInfo(Orders)])))

  const { status, stdout, stderr } = spawnSync(program, ['lint', file], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
  })
  assert.equal(status, 0, stdout + stderr)
})
