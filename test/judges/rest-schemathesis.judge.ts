// schemathesis makes requests from the OpenAPI document, valid ones and broken ones, and compares the answers with it.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { serve } from 'trunkline'
import { rest } from 'trunkline/wires'
import { orders } from '../../examples/orders/service.ts'
import { schemathesis } from '../../scripts/judges.ts'
import { needs } from '../support/require.ts'

const settings = fileURLToPath(new URL('schemathesis', import.meta.url))

test('schemathesis finds nothing, whatever its seed', async (t) => {
  const program = await needs(t, schemathesis)
  if (program === undefined) return

  // It remembers what it found beside its settings; every run shall begin with nothing.
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-schemathesis-'))
  t.after(() => rmSync(folder, { recursive: true }))
  cpSync(settings, folder, { recursive: true })

  // The operation that sleeps shall not hold up the judge.
  await using server = await serve(orders, {
    port: 0,
    wires: [rest()],
    limits: { callTimeout: 500 },
  })

  for (const seed of ['1', '42', '20261121']) {
    await t.test(`seed ${seed}`, async () => {
      const { code, output } = await judge(program, folder, server.port, seed)
      assert.equal(code, 0, output)
      assert.doesNotMatch(output, /FAILURES|ERRORS/, output)
    })
  }
})

function judge(
  program: string,
  folder: string,
  port: number,
  seed: string,
): Promise<{ code: number | null; output: string }> {
  const url = `http://127.0.0.1:${port}/openapi.json`
  const options = ['--max-examples', '30', '--workers', '1', '--no-color', '--seed', seed]
  // A string with both a format and a pattern, as zod's are, makes its generator throw much away; that is no finding.
  options.push('--suppress-health-check', 'filter_too_much')

  return new Promise((resolve, reject) => {
    const child = spawn(program, ['--config-file', 'schemathesis.toml', 'run', url, ...options], {
      cwd: folder,
    })
    let output = ''
    child.stdout.on('data', (piece: Buffer) => (output += piece.toString()))
    child.stderr.on('data', (piece: Buffer) => (output += piece.toString()))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, output }))
  })
}
