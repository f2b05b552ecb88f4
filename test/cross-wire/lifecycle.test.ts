import assert from 'node:assert/strict'
import test from 'node:test'
import { CallError, call, connect, contract, currentCall, disconnect, implement, serve } from 'trunkline'
import { until } from '../support/events.ts'
import { quiet } from '../support/quiet-log.ts'
import { Probe } from './contract.ts'
import { probe } from './probe.ts'
import { networkRows, pair, relay, rows, throughRelay } from './rows.ts'

const failsWith = (code: string) => (error: unknown) => {
  assert.ok(CallError.is(error), String(error))
  assert.equal(error.code, code, error.message)
  return true
}

for (const row of rows) {
  test(`a call past its deadline fails and its handler is told, over ${row.name}`, async () => {
    const { implementation, observed } = probe()
    await using running = await pair(row, Probe, implementation)
    const late = running.client.wait({ id: 'late' }, { timeout: 60 })
    await assert.rejects(late, failsWith('deadline_exceeded'))
    // The handler hears of it from its own deadline or from the caller's cancellation, whichever is first.
    assert.match(await observed.canceled('late'), /deadline_exceeded|canceled/)
  })

  test(`the deadline reaches the handler, over ${row.name}`, async () => {
    await using running = await pair(row, Probe, probe().implementation)
    const { milliseconds } = await running.client.deadline({ timeout: '5s' })
    assert.ok(milliseconds !== null && milliseconds > 1_000 && milliseconds <= 5_100, String(milliseconds))
    const usual = await running.client.deadline()
    assert.ok(usual.milliseconds !== null && usual.milliseconds <= 30_100, 'there is always one')
  })

  test(`a handler that never returns ends with its deadline, over ${row.name}`, async () => {
    await using running = await pair(row, Probe, probe().implementation)
    await assert.rejects(
      running.client.explode({ how: 'never' }, { timeout: 50 }),
      failsWith('deadline_exceeded'),
    )
  })

  test(`an aborted signal cancels the call and its handler, over ${row.name}`, async () => {
    const { implementation, observed } = probe()
    await using running = await pair(row, Probe, implementation)
    const controller = new AbortController()
    const going = running.client.wait({ id: 'aborted' }, { signal: controller.signal })
    await observed.entered('aborted')
    controller.abort()
    await assert.rejects(going, failsWith('canceled'))
    assert.equal(await observed.canceled('aborted'), 'canceled')
    await assert.rejects(
      running.client.wait({ id: 'x' }, { signal: AbortSignal.abort() }),
      failsWith('canceled'),
    )
  })

  test(`a call made in a handler inherits deadline and cancellation, over ${row.name}`, async () => {
    const back = probe()
    await using backServer = await serve(back.implementation, { port: 0, log: quiet })
    await using down = connect(Probe, `trunk://127.0.0.1:${backServer.port}`)
    const Front = contract('test.front.v1', { ask: call({}) })
    const front = implement(Front, {
      async ask() {
        assert.equal(currentCall()?.operation.name, 'ask')
        await new Promise((resolve) => setImmediate(resolve))
        await down.wait({ id: 'inherited' })
      },
    })
    await using running = await pair(row, Front, front)
    const controller = new AbortController()
    const going = running.client.ask({ signal: controller.signal })
    await back.observed.entered('inherited')
    controller.abort()
    await assert.rejects(going, failsWith('canceled'))
    assert.equal(await back.observed.canceled('inherited'), 'canceled')
  })

  test(`metadata goes there and back, with repeated names and bytes, over ${row.name}`, async () => {
    await using running = await pair(row, Probe, probe().implementation)
    let head:
      | Parameters<NonNullable<NonNullable<Parameters<typeof running.client.metadata>[0]>['onReply']>>[0]
      | undefined
    const { seen } = await running.client.metadata({
      metadata: { 'X-One': 'eins', 'x-many': ['a', 'b, c'], 'x-raw-bin': Uint8Array.of(0, 1, 254, 255) },
      onReply: (reply) => (head = reply),
    })
    assert.deepEqual(seen['x-one'], ['eins'])
    assert.deepEqual(seen['x-many']?.join(', '), 'a, b, c')
    assert.deepEqual(seen['x-raw-bin'], ['0001feff'])
    assert.deepEqual(head?.metadata.getAll('X-Head').join(', '), 'first, second')
    assert.deepEqual(head?.metadata.get('x-head-bin'), new Uint8Array([0, 255]))
    assert.equal((await head?.trailers)?.get('x-trailer'), 'last')
  })

  test(`a stream has metadata before and trailers behind, over ${row.name}`, async () => {
    await using running = await pair(row, Probe, probe().implementation)
    const events: string[] = []
    let trailers: Promise<{ get(name: string): unknown }> | undefined
    const stream = running.client.count(
      { to: 3 },
      {
        onReply(head) {
          events.push(`head ${String(head.metadata.get('x-stream'))}`)
          trailers = head.trailers
        },
      },
    )
    for await (const { n } of stream) events.push(String(n))
    assert.deepEqual(events, ['head yes', '0', '1', '2'])
    assert.equal((await trailers)?.get('x-count'), '3')
  })

  test(`1,000 calls at once are all answered, over ${row.name}`, async () => {
    await using running = await pair(row, Probe, probe().implementation)
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, (_, n) => running.client.echo({ n, text: `#${n}` })),
    )
    assert.deepEqual(
      answers,
      Array.from({ length: 1_000 }, (_, n) => ({ n, text: `#${n}` })),
    )
  })

  test(`messages of all sizes up to 4 MiB go there and back, over ${row.name}`, async () => {
    await using running = await pair(row, Probe, probe().implementation)
    // Beyond each of the buffers that lie on the way.
    for (const size of [12_000, 50_000, 60_000, 200_000, 600_000]) {
      const some = new Uint8Array(size).map((_, index) => index * 31)
      assert.ok(
        Buffer.from((await running.client.bytes({ data: some })).data).equals(Buffer.from(some)),
        `${size}`,
      )
    }
    const data = new Uint8Array(4 * 1024 * 1024).map((_, index) => index * 31)
    const [back] = await Promise.all([
      running.client.bytes({ data }),
      running.client.echo({ n: 1, text: 'meanwhile' }),
    ])
    assert.ok(Buffer.from(back.data).equals(Buffer.from(data)))
  })

  test(`a message beyond the limit is resource_exhausted, either way, over ${row.name}`, async () => {
    await using running = await pair(row, Probe, probe().implementation, {
      serve: { limits: { messageSize: 10_000 } },
    })
    const large = { n: 1, text: 'x'.repeat(20_000) }
    if (row.scheme !== undefined) {
      await assert.rejects(running.client.echo(large), failsWith('resource_exhausted'))
    }
    assert.deepEqual(await running.client.echo({ n: 1, text: 'small' }), { n: 1, text: 'small' })

    await using open = await pair(row, Probe, probe().implementation, {
      connect: { limits: { messageSize: 10_000 } },
    })
    if (row.scheme !== undefined) {
      await assert.rejects(open.client.echo(large), failsWith('resource_exhausted'))
    }
    assert.deepEqual(await open.client.echo({ n: 1, text: 'small' }), { n: 1, text: 'small' })
  })

  test(`draining lets open calls finish and refuses new ones, over ${row.name}`, async () => {
    const { implementation, observed } = probe()
    await using running = await pair(row, Probe, implementation)
    const open = Array.from({ length: 20 }, (_, i) => running.client.wait({ id: `open${i}` }))
    await Promise.all(open.map((_, i) => observed.entered(`open${i}`)))
    const closing = running.server.close({ grace: 20_000 })
    for (let i = 0; i < 20; i++) observed.release(`open${i}`)
    await Promise.all(open)
    await closing
    await assert.rejects(
      running.client.echo({ n: 1, text: 'late' }, { timeout: 5_000 }),
      failsWith('unavailable'),
    )
    assert.equal(running.server.connections, 0)
  })

  test(`a client that is closed waits for its calls and refuses new ones, over ${row.name}`, async () => {
    const { implementation, observed } = probe()
    await using running = await pair(row, Probe, implementation)
    const client = running.connect()
    const open = client.wait({ id: 'open' })
    await observed.entered('open')
    const closing = disconnect(client)
    observed.release('open')
    await open
    await closing
    await assert.rejects(client.echo({ n: 1, text: 'late' }), failsWith('unavailable'))
  })
}

for (const row of networkRows.filter(({ unix }) => !unix)) {
  test(`a cut connection is unavailable, in mid-call and mid-stream, and the next call connects again, over ${row.name}`, async () => {
    const { implementation, observed } = probe()
    await using running = await pair(row, Probe, implementation)
    await using between = await relay(running.server.port)
    const client = connect(Probe, throughRelay(row, between), {
      log: quiet,
      ...(row.tls ? { tls: { rejectUnauthorized: false } } : {}),
    })

    const going = client.wait({ id: 'cut' })
    await observed.entered('cut')
    const stream = client.endless({ size: 100 })[Symbol.asyncIterator]()
    await stream.next()
    between.cut()

    await assert.rejects(going, failsWith('unavailable'))
    await assert.rejects(async () => {
      for (;;) if ((await stream.next()).done) return
    }, failsWith('unavailable'))
    assert.equal(await observed.canceled('cut'), 'canceled')
    await observed.streamStopped.promise

    assert.deepEqual(await client.echo({ n: 1, text: 'again' }), { n: 1, text: 'again' })
    await disconnect(client)
    await until(() => between.connections === 0, 'the client has closed its connections')
  })

  test(`where nothing listens, calls are unavailable at once, over ${row.name}`, async () => {
    const gone = await serve(probe().implementation, { port: 0, log: quiet })
    await gone.close()
    await using client = connect(Probe, `${row.scheme}127.0.0.1:${gone.port}`, { log: quiet })
    await assert.rejects(client.echo({ n: 1, text: 'x' }), (error: unknown) => {
      failsWith('unavailable')(error)
      return CallError.is(error) && error.processed === 'no' && error.message.includes(String(gone.port))
    })
  })
}
