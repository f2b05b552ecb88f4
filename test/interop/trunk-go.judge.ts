/**
 * A second proof that docs/trunk-protocol.md is complete: a client in Go, whose calls go on at the same time. Needs `go`;
 * skipped, saying so, where there is none.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import * as z from 'zod'
import { call } from '../../src/contract/call.ts'
import { contract } from '../../src/contract/contract.ts'
import { fault } from '../../src/contract/fault.ts'
import { implement } from '../../src/server/implement.ts'
import { trunkPair } from '../support/trunk.ts'
import { N, resultsOf, streamed, streams, untilCanceled } from './foreign-client.ts'

const Blob = z.object({ data: z.instanceof(Uint8Array) })
const Service = contract('test.go.v1', {
  echo: call({ input: N, output: N }),
  ...streams,
  metadata: call({}),
  refuse: call({
    input: N,
    faults: { tooMany: fault('resource_exhausted', z.object({ most: z.int32() })) },
  }),
  sleep: call({}),
  blob: call({ input: Blob, output: Blob }),
})

const folder = path.join(import.meta.dirname, 'go')
const go = spawnSync('go', ['version']).status === 0
const skip = go ? false : 'NOT PROVED: there is no go on this machine'

test('the Go client has at most 300 lines and needs nothing but the standard library', () => {
  const source = readFileSync(path.join(folder, 'trunk.go'), 'utf8')
  assert.ok(source.split('\n').length <= 301)
  const [, imports] = /import \(([^)]*)\)/.exec(source)!
  assert.deepEqual(imports!.match(/"[^"]+"/g), [
    '"bufio"',
    '"encoding/binary"',
    '"fmt"',
    '"io"',
    '"net"',
    '"sync"',
  ])
})

test(
  'a Go client written from the document makes every kind of call, at the same time',
  { skip },
  async () => {
    const canceled: string[] = []
    await using pair = await trunkPair([
      implement(Service, {
        echo: (input) => input,
        blob: (input) => input,
        ...streamed,
        metadata(_, ctx) {
          for (const [name, value] of ctx.metadata) ctx.reply.metadata.append(name, value)
          ctx.reply.trailers.append('x-done', 'yes')
        },
        refuse({ n }, ctx) {
          throw ctx.fault.tooMany({ most: 3 }, `${n} are too many`)
        },
        sleep: untilCanceled(canceled),
      }),
    ])

    const files = ['trunk.go', 'main.go'].map((file) => path.join(folder, file))
    const results = await resultsOf<{ what: unknown }>('go', ['run', ...files, `127.0.0.1:${pair.port}`], {
      GO111MODULE: 'off',
      GOFLAGS: '',
      GOPROXY: 'off',
    })

    const failed = { seen: true, fault: '', detail: '' }
    const seen = [...results].map(([name, { what }]) => [name, what] as const)
    assert.deepEqual(Object.fromEntries(seen), {
      unary: 7,
      'output stream': [[1, 2, 3], 'EOF'],
      'input stream': 500_500,
      both: [[2, 4, 6], 'EOF'],
      metadata: [
        [
          ['x-tenant', 'acme'],
          ['x-raw-bin', '\u0000\u007f'],
        ],
        [['x-done', 'yes']],
        'EOF',
      ],
      fault: { ...failed, code: 8, message: '4 are too many', fault: 'tooMany', detail: 'CAM=' },
      deadline: { ...failed, code: 4, message: 'test.go.v1/sleep: the deadline has passed' },
      cancel: { ...failed, code: 1, message: 'changed my mind' },
      large: Array.from({ length: 20 }, () => true),
    })
    assert.deepEqual(canceled, ['deadline_exceeded', 'canceled'])
    assert.deepEqual(pair.log.lines, [])
  },
)
