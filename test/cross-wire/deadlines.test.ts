/** Deadlines at their edges: over before the call began, next to nothing, longer than a timer can wait, no times at all. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { CallError, connect } from 'trunkline'
import { quiet } from '../support/quiet-log.ts'
import { Probe } from './contract.ts'
import { probe } from './probe.ts'
import { pair, rows, withoutStreamedInput } from './rows.ts'

const late = (error: unknown) => {
  assert.ok(CallError.is(error), String(error))
  assert.equal(error.code, 'deadline_exceeded', error.message)
  return true
}

for (const row of rows) {
  test(`a deadline that is over, or nearly, is deadline_exceeded and nothing else, over ${row.name}`, async () => {
    await using running = await pair(row, Probe, probe().implementation)
    const { client } = running
    for (const timeout of [0, 0.001, 1]) {
      await assert.rejects(client.explode({ how: 'never' }, { timeout }), late, String(timeout))
      await assert.rejects(async () => {
        for await (const _item of client.endless({ size: 10 }, { timeout }));
      }, late)
      if (withoutStreamedInput(row)) continue
      await assert.rejects(
        client.sum(
          (async function* () {
            await new Promise(() => undefined)
            yield { n: 1, text: '' }
          })(),
          { timeout },
        ),
        late,
      )
    }
    await assert.rejects(client.echo({ n: 1, text: 'x' }, { timeout: 0 }), late)
    assert.deepEqual(await client.echo({ n: 1, text: 'after' }), { n: 1, text: 'after' })
  })

  test(`a caller's deadline that is later than the server's is the server's, however late, over ${row.name}`, async () => {
    await using running = await pair(row, Probe, probe().implementation, {
      serve: { limits: { callTimeout: 5_000 } },
    })
    for (const timeout of [2 ** 31, 2 ** 32 + 1, 2 ** 53, Number.MAX_VALUE, 10_000]) {
      const { milliseconds } = await running.client.deadline({ timeout })
      assert.ok(milliseconds !== null && milliseconds > 1_000 && milliseconds <= 5_000, String(timeout))
    }
    const stream = running.client.count({ to: 2 }, { timeout: 2 ** 40 })
    let seen = 0
    for await (const _item of stream) seen++
    assert.equal(seen, 2)
  })

  test(`a deadline that is no time is the caller's mistake, over ${row.name}`, async () => {
    await using running = await pair(row, Probe, probe().implementation)
    for (const timeout of [-1, Infinity, -Infinity, Number.NaN, 'soon', '1', '', '-5s'] as never[]) {
      const made = async () => running.client.echo({ n: 1, text: 'x' }, { timeout })
      await assert.rejects(made(), (error: unknown) => {
        assert.ok(error instanceof Error)
        assert.match(error.message, /timeout/)
        return true
      })
    }
    assert.deepEqual(await running.client.echo({ n: 1, text: 'after' }), { n: 1, text: 'after' })
  })
}

test('over REST, a time-out is a whole number and a unit, and nothing else', async () => {
  await using running = await pair(
    rows.find(({ name }) => name === 'REST')!,
    Probe,
    probe().implementation,
  )
  await using client = connect(Probe, running.target, { log: quiet })
  assert.deepEqual(await client.echo({ n: 1, text: 'x' }), { n: 1, text: 'x' })
  const url = `http://127.0.0.1:${running.server.port}/test.probe.v1/deadline`
  const ask = (timeout: string) => fetch(url, { method: 'POST', headers: { 'trunkline-timeout': timeout } })

  for (const timeout of [
    '',
    'NaN',
    'Infinity',
    '-1ms',
    '1.5s',
    '1e3ms',
    '0x10ms',
    '1',
    'ms',
    '1 ms',
    '1ms,2ms',
    '9999999999ms',
    '٣ms',
  ]) {
    const answer = await ask(timeout === '٣ms' ? encodeURIComponent(timeout) : timeout)
    assert.equal(answer.status, 400, timeout)
    assert.match(await answer.text(), /trunkline-timeout: expected/)
  }
  assert.equal((await ask('0ms')).status, 504)
  for (const timeout of ['999999999h', '30s', '2m', '1h']) {
    const answer = await ask(timeout)
    const { milliseconds } = (await answer.json()) as { milliseconds: number }
    assert.ok(milliseconds > 20_000 && milliseconds <= 30_000, timeout)
  }
})
