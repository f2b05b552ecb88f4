// Connect's conformance tests against our server: Connect, gRPC and gRPC-Web, on HTTP/1.1 and HTTP/2, plaintext and TLS.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { connectConformance } from '../../scripts/judges.ts'
import { needs } from '../support/require.ts'

const folder = join(import.meta.dirname, 'connect-conformance')

/**
 * A second message of a call that declares one is refused when it comes before the answer. A call that is answered as soon
 * as its message is there may be over by then.
 */
const mayFail = '**/multiple-requests'

test('connectconformance passes every case of the server', { timeout: 300_000 }, async (t) => {
  const program = await needs(t, connectConformance)
  if (program === undefined) return
  const options = ['--mode', 'server', '--conf', join(folder, 'features.yaml'), '--max-servers', '1']
  const server = [process.execPath, '--conditions=trunkline-source', join(folder, 'server.ts')]
  const child = spawn(program, [...options, '--known-flaky', mayFail, '--', ...server])
  let output = ''
  child.stdout.on('data', (piece: Buffer) => (output += piece.toString()))
  child.stderr.on('data', (piece: Buffer) => (output += piece.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  assert.equal(code, 0, output)
  const [, total] = /Total cases: (\d+)/.exec(output) ?? []
  assert.ok(Number(total) >= 1_900, output)
  t.diagnostic(output.trim())
})
