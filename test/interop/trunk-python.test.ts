/**
 * The proof that docs/trunk-protocol.md is complete: a client in another language, written from it, makes every kind of
 * call. Needs `python3`; skipped, saying so, where there is none.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import * as z from 'zod'
import { CallError } from '../../src/call/error.ts'
import { call } from '../../src/contract/call.ts'
import { contract } from '../../src/contract/contract.ts'
import { fault } from '../../src/contract/fault.ts'
import { implement } from '../../src/server/implement.ts'
import { trunkPair } from '../support/trunk.ts'
import { N, resultsOf, streamed, streams, untilCanceled } from './foreign-client.ts'

const Order = z
  .object({
    id: z.string(),
    sku: z.string(),
    quantity: z.int32().min(1),
    price: z.number(),
    note: z.string(),
    tags: z.array(z.string()),
  })
  .meta({ id: 'Order' })

const Orders = contract('test.orders.v1', {
  echo: call({ input: Order, output: Order }),
  ...streams,
  metadata: call({}),
  refuse: call({
    input: N,
    faults: { outOfStock: fault('failed_precondition', z.object({ sku: z.string(), left: z.int32() })) },
  }),
  busy: call({}),
  sleep: call({}),
  goodbye: call({}),
})

const here = import.meta.dirname
const python = spawnSync('python3', ['--version']).status === 0
const skip = python ? false : 'NOT PROVED: there is no python3 on this machine'

test('the Python client has at most 300 lines and needs nothing but the standard library', () => {
  const source = readFileSync(path.join(here, 'trunk-client.py'), 'utf8')
  assert.ok(source.split('\n').length <= 300)
  const imported = [...source.matchAll(/^(?:import|from) (\w+)/gm)].map(([, name]) => name)
  assert.deepEqual(imported, ['json', 'struct'])
})

test(
  'a Python client written from the document makes every kind of call',
  { skip, timeout: 60_000 },
  async () => {
    const seen: unknown[] = []
    const canceled: string[] = []
    let drain: () => void = () => undefined

    await using pair = await trunkPair([
      implement(Orders, {
        echo: (order) => order,
        ...streamed,
        metadata(_, ctx) {
          for (const [name, value] of ctx.metadata) {
            seen.push([name, typeof value === 'string' ? value : Buffer.from(value).toString('hex')])
            ctx.reply.metadata.append(name, value)
          }
          ctx.reply.trailers.append('x-count', String(seen.length))
        },
        refuse({ n }, ctx) {
          throw ctx.fault.outOfStock({ sku: 'SKU-4711', left: n })
        },
        busy() {
          throw new CallError('resource_exhausted', 'ten a minute', { retryAfter: 1500, processed: 'no' })
        },
        sleep: untilCanceled(canceled),
        goodbye: async () => {
          drain()
        },
      }),
    ])
    drain = () => {
      for (const served of pair.served) served.drain()
    }

    const client = [path.join(here, 'trunk-calls.py'), String(pair.port)]
    const results = await resultsOf<Record<string, unknown>>('python3', client, {
      PYTHONDONTWRITEBYTECODE: '1',
    })

    const failure = { fault: '', detail: [], retryAfter: -1, issues: [], processed: true }
    assert.deepEqual(Object.fromEntries(results), {
      unary: {
        same: true,
        fields: [
          [1, 'ord_01HZX3Q5'],
          [2, 'SKU-4711'],
          [3, 3],
          [4, 12.5],
          [5, 'leave at the door, ring twice please'],
          [6, 'fragile'],
          [6, 'eu'],
          [6, 'ü'],
        ],
      },
      large: { same: true, size: 3_000_022 },
      'server stream': { got: Array.from({ length: 1000 }, (_, index) => index + 1) },
      'client stream': { got: [[[1, 500_500]]] },
      bidirectional: { got: [2, 4, 6], rest: [] },
      metadata: {
        metadata: [
          ['x-tenant', 'acme'],
          ['x-raw-bin', '00ff'],
        ],
        trailers: [['x-count', '2']],
      },
      fault: {
        ...failure,
        code: 'failed_precondition',
        message: (results.get('fault') as { message: string }).message,
        fault: 'outOfStock',
        detail: [
          [1, 'SKU-4711'],
          [2, 7],
        ],
      },
      busy: {
        ...failure,
        code: 'resource_exhausted',
        message: 'ten a minute',
        retryAfter: 1500,
        processed: false,
      },
      invalid: {
        ...failure,
        code: 'invalid_argument',
        message: (results.get('invalid') as { message: string }).message,
        issues: [['quantity', 'expected an integer ≥ 1, got 0']],
      },
      deadline: {
        ...failure,
        code: 'deadline_exceeded',
        message: 'test.orders.v1/sleep: the deadline has passed',
      },
      cancel: { ...failure, code: 'canceled', message: 'changed my mind' },
      describe: {
        contract: 'test.orders.v1',
        operations: ['busy', 'count', 'double', 'echo', 'goodbye', 'metadata', 'refuse', 'sleep', 'sum'],
      },
      unknown: { got: [] },
      drain: { got: [], draining: true },
      gone: { why: (results.get('gone') as { why: string }).why },
    })
    assert.match((results.get('gone') as { why: string }).why, /the server is closing \(0, 12 calls seen\)/)
    assert.deepEqual(seen, [
      ['x-tenant', 'acme'],
      ['x-raw-bin', '00ff'],
    ])
    assert.deepEqual(canceled, ['deadline_exceeded', 'canceled'])
  },
)
