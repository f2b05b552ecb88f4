import assert from 'node:assert/strict'
import test from 'node:test'
import { connect, serve } from 'trunkline'
import { certificate } from '../support/certificate.ts'
import { quiet } from '../support/quiet-log.ts'
import { Probe } from './contract.ts'
import { probe } from './probe.ts'
import { networkRows } from './rows.ts'

for (const row of networkRows.filter(({ unix }) => !unix)) {
  test(`servers that drain under load, one after the other, lose no call, over ${row.name}`, async () => {
    const tls = row.tls ? { tls: certificate() } : {}
    const start = () => serve(probe().implementation, { port: 0, log: quiet, ...tls })
    await using first = await start()
    await using second = await start()
    await using third = await start()
    const servers = [first, second, third]
    await using client = connect(
      Probe,
      servers.map(({ port }) => `${row.scheme}127.0.0.1:${port}`),
      { log: quiet, ...(row.tls ? { tls: { ca: certificate().cert, servername: 'localhost' } } : {}) },
    )

    const failures: unknown[] = []
    let answered = 0
    const total = 6_000
    const draining: Promise<void>[] = []
    const caller = async () => {
      while (answered < total) {
        try {
          const item = await client.echo({ n: answered, text: 'under load' })
          assert.equal(item.text, 'under load')
        } catch (error) {
          failures.push(error)
        }
        answered++
        if (answered === total / 3) draining.push(first.close())
        if (answered === (total / 3) * 2) draining.push(second.close())
      }
    }

    await Promise.all(Array.from({ length: 40 }, caller))
    await Promise.all(draining)
    assert.equal(draining.length, 2)
    assert.deepEqual(failures.map(String), [])
  })
}
