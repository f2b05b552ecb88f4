// trunkline call and describe against grpc-go's server, by its reflection.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { go } from '../../scripts/judges.ts'
import { once, run } from '../../scripts/judges/cache.ts'
import { root } from '../support/command.ts'
import { needs } from '../support/require.ts'
import { runHere } from '../support/run-here.ts'
import { freePort, runServer } from '../support/run-program.ts'

/** Built from grpc-go/ when it is first asked for. */
function grpcGoWithReflection(): Promise<string> {
  return once('test-grpc-go-1', async (folder) => {
    await run(go(), ['build', '-o', join(folder, 'server'), '.'], join(root, 'test/cli/grpc-go'))
    return join(folder, 'server')
  })
}

test('grpc-go is called and described by its reflection', async (t) => {
  const program = await needs(t, grpcGoWithReflection)
  if (program === undefined) return
  const port = await freePort()
  await using _server = await runServer(program, [`127.0.0.1:${port}`], port)
  const to = ['--to', `grpc://127.0.0.1:${port}`]
  const call = (method: string, input: unknown) =>
    runHere(['call', method, typeof input === 'string' ? input : JSON.stringify(input), ...to])

  await t.test('describe', async () => {
    const { code, stdout } = await runHere(['describe', ...to])
    assert.equal(code, 0)
    assert.match(stdout, /gRPC {4}grpc\.testing\.TestService\/FullDuplexCall/)
    assert.doesNotMatch(stdout, /ServerReflection/)
  })

  await t.test('a unary call', async () => {
    const { code, stdout, stderr } = await call('grpc.testing.TestService/UnaryCall', {
      payload: { body: 'AAEC' },
    })
    assert.deepEqual([code, stderr], [0, ''])
    const { payload, username } = JSON.parse(stdout)
    assert.deepEqual([payload.body, username], ['AAEC', 'ada'])
  })

  await t.test('streams in all directions', async () => {
    const sizes = { responseParameters: [{ size: 1 }, { size: 0 }, { size: 3 }] }
    const out = await call('TestService/StreamingOutputCall', sizes)
    assert.deepEqual(bodies(out.stdout), ['AA==', '', 'AAAA'])
    const lines = '{"payload": {"body": "AAEC"}}\n{"payload": {"body": "Aw=="}}'
    assert.deepEqual(JSON.parse((await call('StreamingInputCall', lines)).stdout), {
      aggregatedPayloadSize: 4,
    })
    assert.deepEqual(bodies((await call('fullDuplexCall', lines)).stdout), ['AAEC', 'Aw=='])
  })

  await t.test('an error with details', async () => {
    const { code, stderr } = await call('UnaryCall', {
      responseStatus: { code: 8, message: 'ärgerlich: 100 %' },
    })
    assert.equal(code, 1)
    assert.equal(
      stderr,
      [
        'trunkline call: resource_exhausted: ärgerlich: 100 %',
        '  detail google.rpc.ErrorInfo {"reason":"AS_ASKED","domain":"grpc.testing","metadata":{"by":"grpc-go"}}',
        '  detail google.rpc.Help {"links":[{"description":"more","url":"https://example.org"}]}',
        '  detail grpc.testing.EchoStatus {"code":7,"message":"a message of the service"}',
        '',
      ].join('\n'),
    )
  })

  await t.test('a method that the server declares and does not have', async () => {
    const { code, stderr } = await call('HalfDuplexCall', '{}')
    assert.match(stderr, /unimplemented: method HalfDuplexCall not implemented/)
    assert.equal(code, 1)
  })
})

function bodies(lines: string): unknown[] {
  return lines
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).payload.body)
}
