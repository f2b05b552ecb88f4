import assert from 'node:assert/strict'
import test from 'node:test'
import { CallError, connect, serve } from 'trunkline'
import { certificate } from '../support/certificate.ts'
import { quiet } from '../support/quiet-log.ts'
import { Probe } from './contract.ts'
import { probe } from './probe.ts'
import { networkRows } from './rows.ts'

for (const row of networkRows.filter(({ unix }) => !unix)) {
  // These clients have their wires' default options, which for all but trunk and gRPC is HTTP/1.1.
  const overHttp1 = !/^(trunk|grpc)s?:/.test(row.scheme ?? '')

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
    const lost = failures.filter((error) => !(overHttp1 && isCrossing(error)))
    assert.deepEqual(lost.map(String), [])
    assert.ok(failures.length <= 2, `${failures.length} calls crossed the end of their connections`)
  })
}

/**
 * HTTP/1.1 has no word for "no more on this connection" but an answer: a request that is sent while its idle connection is
 * being closed ends without one, and nobody can say whether it was seen (RFC 9112 section 9.5).
 */
function isCrossing(error: unknown): boolean {
  return CallError.is(error) && error.code === 'unavailable' && error.processed === 'maybe'
}
