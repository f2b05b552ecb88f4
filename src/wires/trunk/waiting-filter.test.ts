/** A call whose filter waits keeps its input, and nothing that came in with it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as z from 'zod'
import { call } from '../../contract/call.ts'
import { contract } from '../../contract/contract.ts'
import { implement } from '../../server/implement.ts'
import { signal } from '../../../test/support/events.ts'
import { callOf, send, trunkPair } from '../../../test/support/trunk.ts'

const Item = z.object({ n: z.int32(), text: z.string() })
const Items = contract('test.items.v1', { echo: call({ input: Item, output: Item }) })

test('an input that waits for a filter is decoded as it came, whatever came since', async () => {
  const go = signal()
  const waiting = signal()
  let entered = 0
  await using pair = await trunkPair([implement(Items, { echo: (item) => item })], {
    filters: [
      (next) => async (each) => {
        if (++entered === 500) waiting.resolve()
        await go.promise
        return next(each)
      },
    ],
  })

  const sent = Array.from({ length: 500 }, (_, n) => ({ n, text: `#${n}`.repeat(n % 50) }))
  const answers = sent.map((item) => send(pair.channel, callOf(Items, 'echo', item)))
  await waiting.promise
  go.resolve()
  const outputs = (await Promise.all(answers)).map(({ output }) => output)
  assert.deepEqual(outputs, sent)
})
