import assert from 'node:assert/strict'
import test from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Probe } from './contract.ts'
import { probe } from './probe.ts'
import { pair, rows } from './rows.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const batch = 250
/**
 * 100,000 calls on every kind of call there is; a fifth where the calls are gRPC's and the connections REST's. TLS and Unix sockets add
 * only bytes, and get a tenth.
 */
const kinds = ['in-process', 'trunk', 'gRPC', 'REST']
const calls = (name: string) => (kinds.includes(name) ? 100_000 : name.includes('over') ? 10_000 : 20_000)

async function heapAfter(work: () => Promise<void>): Promise<number> {
  await work()
  await new Promise((resolve) => setImmediate(resolve))
  collect()
  collect()
  return process.memoryUsage().heapUsed
}

for (const row of rows.filter(({ light }) => light !== true)) {
  test(`${calls(row.name)} calls leave nothing behind, over ${row.name}`, async () => {
    await using running = await pair(row, Probe, probe().implementation)
    const some = async (count: number) => {
      for (let done = 0; done < count; done += batch) {
        const controller = new AbortController()
        await Promise.all([
          ...Array.from({ length: batch - 2 }, (_, n) =>
            running.client.echo(
              { n, text: 'x' },
              { metadata: { 'x-n': String(n) }, signal: controller.signal },
            ),
          ),
          running.client.fail({ code: 'not_found', message: 'x' }).catch(() => undefined),
          running.client.explode({ how: 'never' }, { timeout: 1 }).catch(() => undefined),
        ])
      }
    }

    const before = await heapAfter(() => some(5_000))
    const after = await heapAfter(() => some(calls(row.name)))
    // One kept object of 50 bytes a call would be 5 MB.
    assert.ok(after - before < 3_000_000, `the heap grew by ${after - before} bytes`)
  })
}
