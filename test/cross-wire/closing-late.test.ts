/** A server that is closed while calls are open ends them when their time is over, those from within the process too. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { CallError } from 'trunkline'
import { Probe } from './contract.ts'
import { probe } from './probe.ts'
import { pair, rows } from './rows.ts'

const failsWith = (code: string) => (error: unknown) => CallError.is(error) && error.code === code

for (const row of rows) {
  test(`a server that is closed ends what is left after its time, and tells the handlers, over ${row.name}`, async () => {
    const { implementation, observed } = probe()
    await using running = await pair(row, Probe, implementation)
    const open = running.client.wait({ id: 'open' })
    await observed.entered('open')
    assert.equal(running.server.active, 1)
    await Promise.all([running.server.close({ grace: 1 }), assert.rejects(open, failsWith('unavailable'))])
    assert.match(await observed.canceled('open'), /unavailable|canceled/)
    assert.equal(running.server.active, 0)
  })
}
