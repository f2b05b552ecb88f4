/** Fields may be called what every object inherits. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { call, connect, contract, implement, serve } from 'trunkline'
import * as z from 'zod'
import { quiet } from '../../../test/support/quiet-log.ts'

const fields = {
  constructor: z.string(),
  toString: z.string().optional(),
  valueOf: z.array(z.string()),
  hasOwnProperty: z.string().optional(),
}
const Odd = contract('test.odd.v1', {
  query: call({
    input: z.object(fields),
    output: z.object(fields),
    rest: { route: 'GET /odd/{constructor}' },
  }),
  header: call({
    input: z.object(fields),
    output: z.object(fields),
    rest: { route: 'GET /odd', headers: { toString: 'x-odd', valueOf: 'x-odds' } },
  }),
})

test('in path, query and headers too', async () => {
  const implementation = implement(Odd, { query: (input) => input, header: (input) => input })
  await using server = await serve(implementation, { port: 0, log: quiet })
  await using client = connect(Odd, `http://127.0.0.1:${server.port}`, { log: quiet })

  const some = { constructor: 'a', valueOf: ['b', 'c'] }
  const all = { ...some, toString: 'd', hasOwnProperty: 'e' }
  for (const input of [some, all, { ...some, valueOf: [] }] as never[]) {
    assert.deepEqual(await client.query(input), input)
    assert.deepEqual(await client.header(input), input)
  }

  const raw = await fetch(`http://127.0.0.1:${server.port}/odd/x?toString=1&__proto__=2&valueOf=3&valueOf=4`)
  assert.deepEqual(await raw.json(), { constructor: 'x', toString: '1', valueOf: ['3', '4'] })
  const twice = await fetch(`http://127.0.0.1:${server.port}/odd/x?toString=1&toString=2`)
  assert.match(await twice.text(), /expected one value, got several/)
})
