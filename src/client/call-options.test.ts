import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type CallOptions,
  call,
  connect,
  connectTo,
  contract,
  contractInfo,
  implement,
  serve,
  stream,
} from 'trunkline'
import * as z from 'zod'
import { quiet } from '../../test/support/quiet-log.ts'

const Store = contract('test.store.v1', {
  find: call({ input: z.object({ id: z.string() }), output: z.object({ id: z.string() }) }),
  watch: call({ input: z.object({ id: z.string() }), output: stream(z.object({ n: z.int32() })) }),
  ping: call(),
})

const store = implement(Store, {
  find: (input) => input,
  *watch() {
    yield { n: 1 }
  },
  ping() {},
})

const wrong: readonly (readonly [unknown, RegExp])[] = [
  [{ timeot: 1 }, /there is no option 'timeot'; did you mean 'timeout'\?$/],
  [{ abort: 1 }, /there is no option 'abort'; there are timeout, signal, metadata, idempotencyKey, onReply$/],
  [{ headers: {} }, /there is no option 'headers'; there are timeout, /],
  [{ toString: 1 }, /there is no option 'toString'/],
  [{ timeout: {} }, /timeout: expected a time in milliseconds, or such as '500ms' or '2s', got an object$/],
  [{ signal: new AbortController() }, /signal: expected an AbortSignal, got an object$/],
  [{ metadata: 'x-tenant: acme' }, /metadata: expected an object, got "x-tenant: acme"$/],
  [{ idempotencyKey: 7 }, /idempotencyKey: expected a string that is not empty, got 7$/],
  [{ onReply: true }, /onReply: expected a function, got true$/],
  [5, /expected an object of options, got 5$/],
  [null, /expected an object of options, got null$/],
]

test('per-call options that do nothing are refused, and the one that was meant is named', async () => {
  await using server = await serve(store, { port: 0, log: quiet })
  const url = `trunk://127.0.0.1:${server.port}`
  await using client = connect(Store, url)
  await using untyped = connectTo(contractInfo(Store), url)

  for (const [given, message] of wrong) {
    const options = given as CallOptions
    assert.throws(() => client.find({ id: 'a' }, options), { name: 'TypeError', message })
    assert.throws(() => client.watch({ id: 'a' }, options), { name: 'TypeError', message })
    assert.throws(() => untyped.stream('watch', { id: 'a' }, options), { name: 'TypeError', message })
    await assert.rejects(untyped.call('find', { id: 'a' }, options), { name: 'TypeError', message })
  }

  assert.throws(
    () => client.find({ id: 'a' }, { timeot: 1 } as CallOptions),
    /^TypeError: options of test\.store\.v1\/find: /,
  )
})

test('an input that is given to a call without one is seen as its options, and refused as such', async () => {
  await using client = connect(Store, 'trunk://127.0.0.1:1')
  assert.throws(
    () => client.ping({ id: 'a' } as CallOptions),
    /^TypeError: options of test\.store\.v1\/ping, which takes no input: there is no option 'id'; there are timeout, /,
  )
})

test('options that there are, and those that are undefined, are as good as ever', async () => {
  await using server = await serve(store, { port: 0, log: quiet })
  await using client = connect(Store, `trunk://127.0.0.1:${server.port}`)
  const heads: unknown[] = []
  const all: CallOptions = {
    timeout: '2s',
    signal: new AbortController().signal,
    metadata: { 'x-tenant': 'acme' },
    idempotencyKey: 'k1',
    onReply: (head) => heads.push(head),
  }
  const none: CallOptions = {
    timeout: undefined,
    signal: undefined,
    metadata: undefined,
    idempotencyKey: undefined,
    onReply: undefined,
  }

  assert.deepEqual(await client.find({ id: 'a' }, all), { id: 'a' })
  assert.equal(heads.length, 1)
  assert.deepEqual(await client.find({ id: 'b' }, none), { id: 'b' })
  await client.ping({ timeout: 500 })
  assert.deepEqual(await Array.fromAsync(client.watch({ id: 'a' }, all)), [{ n: 1 }])
})
