import assert from 'node:assert/strict'
import test from 'node:test'
import { call, connect, contract, implement, serve, stream } from 'trunkline'
import * as z from 'zod'
import { relay } from '../../test/cross-wire/rows.ts'
import { until } from '../../test/support/events.ts'
import { quiet } from '../../test/support/quiet-log.ts'

const Held = contract('test.held.v1', {
  hold: call({ output: stream(z.object({ n: z.int32() })) }),
  ping: call({}),
})

function serving(http2: object, release?: Promise<void>) {
  const implementation = implement(Held, {
    async *hold() {
      yield { n: 1 }
      await release
      yield { n: 2 }
    },
    ping() {},
  })
  return serve(implementation, { port: 0, log: quiet, http2 })
}

test('a connection that has become too old is left for another, and its calls come to their end', async () => {
  const release = Promise.withResolvers<void>()
  await using server = await serving({ connectionAge: 30 }, release.promise)
  await using client = connect(Held, `grpc://127.0.0.1:${server.port}`, { log: quiet })

  const seen: number[] = []
  const reading = (async () => {
    for await (const { n } of client.hold()) seen.push(n)
  })()
  await until(() => seen.length === 1, 'the stream has begun')
  // Calls go over another connection while the stream holds the old one.
  await until(() => {
    void client.ping()
    return server.connections > 1
  }, 'there is a second connection')
  release.resolve()
  await reading
  assert.deepEqual(seen, [1, 2])
})

test('a call that outlives the grace of its old connection is cut', async () => {
  await using server = await serving({ connectionAge: 20, connectionAgeGrace: 20 }, new Promise(() => {}))
  await using client = connect(Held, `grpc://127.0.0.1:${server.port}`, { log: quiet })
  await assert.rejects(
    async () => {
      for await (const _ of client.hold());
    },
    { code: 'unavailable' },
  )
})

test('options of HTTP/2 are held to what there is', async () => {
  await assert.rejects(
    serving({ keepAliveTime: 1 }),
    /no option 'keepAliveTime'; did you mean 'keepaliveTime'\?/,
  )
  await assert.rejects(serving({ connectionAge: 'a week' }), /http2: connectionAge: expected milliseconds/)
  await assert.rejects(serving({ pingInterval: 0 }), /pingInterval: expected more than 0/)
  const url = 'grpc://127.0.0.1:1'
  assert.throws(
    () => connect(Held, url, { http2: { keepaliveTime: '0s' } }),
    /keepaliveTime: expected more than 0/,
  )
  assert.throws(() => connect(Held, url, { http2: { time: 1 } as never }), /no option 'time'/)
})

test('a client whose server falls silent while a call is open gives it up', async () => {
  await using server = await serving({}, new Promise(() => {}))
  await using between = await relay(server.port)
  await using client = connect(Held, `grpc://127.0.0.1:${between.port}`, {
    log: quiet,
    http2: { keepaliveTime: 30, keepaliveTimeout: 30 },
  })
  await assert.rejects(
    async () => {
      for await (const _ of client.hold()) between.stall()
    },
    { code: 'unavailable' },
  )
})
