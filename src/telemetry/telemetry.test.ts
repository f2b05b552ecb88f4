import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import test from 'node:test'
import { CallError, accessLog, call, connect, contract, implement, serve, stream } from 'trunkline'
import { collect } from 'trunkline/testing'
import * as z from 'zod'
import { type Exposition, readExposition } from '../../test/support/prometheus.ts'
import { signal, until } from '../../test/support/events.ts'
import { quiet, rememberingLog } from '../../test/support/quiet-log.ts'

const Work = contract('test.work.v1', {
  fine: call({ output: z.object({ n: z.int32() }), rest: 'GET /fine' }),
  broken: call({ rest: 'GET /broken' }),
  list: call({ input: z.object({ to: z.int32() }), output: stream(z.object({ n: z.int32() })) }),
  hold: call({ rest: 'GET /hold' }),
})

function working() {
  const entered = signal()
  const release = signal()
  const implementation = implement(Work, {
    fine: () => ({ n: 1 }),
    broken() {
      throw new CallError('aborted', 'no')
    },
    async *list({ to }) {
      for (let n = 0; n < to; n++) yield { n }
    },
    async hold() {
      entered.resolve()
      await release.promise
    },
  })
  return { implementation, entered, release }
}

for (const scheme of ['trunk', 'http']) {
  test(`the access log has a line a call, over ${scheme}`, async () => {
    const log = rememberingLog()
    await using server = await serve(working().implementation, {
      port: 0,
      log: quiet,
      filters: [accessLog(log)],
      authenticate: () => ({ id: 'ada' }),
    })
    await using client = connect(Work, `${scheme}://127.0.0.1:${server.port}`, { log: quiet })
    await client.fine()
    await assert.rejects(client.broken())
    await collect(client.list({ to: 3 }))
    await until(() => log.lines.length === 3, 'three calls are logged')

    const lines = log.lines.map(({ level, message, fields }) => {
      const { milliseconds, peer, ...rest } = fields as Record<string, unknown>
      assert.ok(typeof milliseconds === 'number' && milliseconds >= 0 && milliseconds < 60_000)
      assert.match(String(peer), /^127\.0\.0\.1:\d+$/)
      assert.deepEqual([level, message], ['info', 'call'])
      return rest
    })
    const common = { wire: scheme === 'http' ? 'rest' : scheme, principal: 'ada', fault: undefined }
    assert.deepEqual(
      lines.map(({ operation, code, sent }) => [operation, code, sent]),
      [
        ['test.work.v1/fine', 'ok', 1],
        ['test.work.v1/broken', 'aborted', 0],
        ['test.work.v1/list', 'ok', 3],
      ],
    )
    for (const line of lines) assert.deepEqual({ ...line, ...common }, line)
  })
}

async function scrape(port: number | undefined): Promise<Exposition> {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`)
  assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
  return readExposition(await answer.text())
}

test('/metrics counts calls, errors and durations in valid Prometheus text', async () => {
  const { implementation, entered, release } = working()
  await using server = await serve(implementation, { port: 0, log: quiet, admin: { port: 0 } })
  await using overTrunk = connect(Work, `trunk://127.0.0.1:${server.port}`, { log: quiet })
  await using overHttp = connect(Work, `http://127.0.0.1:${server.port}`, { log: quiet })

  assert.deepEqual((await scrape(server.adminPort)).samples, [], 'nothing was called yet')
  for (let i = 0; i < 3; i++) await overTrunk.fine()
  await overHttp.fine()
  await assert.rejects(overTrunk.broken())
  const held = overTrunk.hold()
  await entered.promise

  const { types, value, samples } = await scrape(server.adminPort)
  assert.deepEqual(Object.fromEntries(types), {
    trunkline_calls_total: 'counter',
    trunkline_calls_active: 'gauge',
    trunkline_call_duration_seconds: 'histogram',
  })
  const labels = (operation: string, wire: string) => ({ contract: 'test.work.v1', operation, wire })
  assert.equal(value('trunkline_calls_total', { ...labels('fine', 'trunk'), code: 'ok' }), 3)
  assert.equal(value('trunkline_calls_total', { ...labels('fine', 'rest'), code: 'ok' }), 1)
  assert.equal(value('trunkline_calls_total', { ...labels('broken', 'trunk'), code: 'aborted' }), 1)
  assert.equal(value('trunkline_calls_active', labels('hold', 'trunk')), 1)
  assert.equal(value('trunkline_calls_active', labels('fine', 'trunk')), 0)

  const duration = 'trunkline_call_duration_seconds'
  assert.equal(value(`${duration}_count`, labels('fine', 'trunk')), 3)
  assert.equal(value(`${duration}_bucket`, { ...labels('fine', 'trunk'), le: '+Inf' }), 3)
  const buckets = samples
    .filter(
      ({ name, labels: of }) =>
        name === `${duration}_bucket` && of['operation'] === 'fine' && of['wire'] === 'trunk',
    )
    .map((sample) => sample.value)
  assert.deepEqual(
    buckets,
    buckets.toSorted((a, b) => a - b),
    'buckets are cumulative',
  )
  release.resolve()
  await held
})

test('the admin listener answers what it knows, and only there', async () => {
  await using server = await serve(working().implementation, { port: 0, log: quiet, admin: { port: 0 } })
  const ask = (path: string, method = 'GET') =>
    fetch(`http://127.0.0.1:${server.adminPort}${path}`, { method })
  const health = await ask('/healthz')
  assert.deepEqual([health.status, await health.json()], [200, { status: 'serving' }])
  assert.equal((await ask('/healthz?verbose=1')).status, 200)
  assert.deepEqual([(await ask('/metrics', 'HEAD')).status, (await ask('/unknown')).status], [200, 404])
  const posted = await ask('/metrics', 'POST')
  assert.deepEqual([posted.status, posted.headers.get('allow')], [405, 'GET, HEAD'])
  assert.equal((await fetch(`http://127.0.0.1:${server.port}/metrics`)).status, 404)
})

test('the admin listener is on 127.0.0.1 alone, wherever the server itself listens', async () => {
  await using server = await serve(working().implementation, {
    host: '0.0.0.0',
    port: 0,
    log: quiet,
    admin: { port: 0 },
  })
  const dial = async (port: number) => {
    // Another address of loopback: as far from 127.0.0.1 as any, and no packet leaves the machine.
    const socket = net.connect(port, '127.0.0.2')
    const reached = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false)
    socket.destroy()
    return reached
  }
  assert.equal(await dial(server.port), true)
  assert.equal(await dial(server.adminPort as number), false)
})

test('while the server drains, healthz says so; then the admin listener is gone', async () => {
  const { implementation, entered, release } = working()
  const server = await serve(implementation, { port: 0, log: quiet, admin: { port: 0 } })
  await using client = connect(Work, `trunk://127.0.0.1:${server.port}`, { log: quiet })
  const held = client.hold()
  await entered.promise
  const closing = server.close()
  const health = await fetch(`http://127.0.0.1:${server.adminPort}/healthz`)
  assert.deepEqual([health.status, await health.json()], [503, { status: 'draining' }])
  release.resolve()
  await Promise.all([held, closing])
  await assert.rejects(fetch(`http://127.0.0.1:${server.adminPort}/healthz`))
})

test('without admin, nothing is counted and no other port is open', async () => {
  await using server = await serve(working().implementation, { port: 0, log: quiet })
  assert.equal(server.adminPort, undefined)
})
