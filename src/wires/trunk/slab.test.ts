/** Small messages that wait keep nothing of the chunks alive that they came in with. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import * as fc from 'fast-check'
import { runs } from '../../../test/support/fuzz.ts'
import { Incoming } from './incoming.ts'
import { Partials } from './partials.ts'
import { Slab } from './slab.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const decoded = (bytes: Buffer, start: number, end: number) => bytes.toString('latin1', start, end)

function incoming(): Incoming {
  const owner = { decode: decoded, released() {}, abandoned() {} }
  return new Incoming(owner, 1 << 24, 1 << 20, new Partials(1 << 20))
}

test('10,000 unread messages of 10 bytes hold no chunk of 64 KiB each', async () => {
  const stream = incoming()
  const before = process.memoryUsage().arrayBuffers
  for (let n = 0; n < 10_000; n++) {
    const chunk = Buffer.alloc(64 * 1024)
    chunk.write(String(n).padStart(10, '0'), 5_000, 'latin1')
    stream.receive(chunk, 5_000, 5_010, false)
  }

  // 10,000 chunks would be 625 MiB, the messages alone are 100 kB.
  for (let round = 0; round < 3; round++) {
    collect()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const held = process.memoryUsage().arrayBuffers - before
  assert.ok(held < 1024 * 1024, `${held} bytes are held`)
  for (let n = 0; n < 10_000; n++) assert.equal((await stream.next()).value, String(n).padStart(10, '0'))
})

test('what a slab keeps stays as it was until all of it has been read', async () => {
  const property = fc.asyncProperty(
    fc.array(fc.tuple(fc.oneof(fc.nat(40), fc.nat(40_000)), fc.boolean()), { maxLength: 60 }),
    async (steps) => {
      const stream = incoming()
      const expected: string[] = []
      for (const [size, read] of steps) {
        const chunk = Buffer.alloc(size + 7, String(expected.length % 10))
        stream.receive(chunk, 3, 3 + size, false)
        expected.push(chunk.toString('latin1', 3, 3 + size))
        // Large messages stay in their chunk, which is theirs; small ones must not be.
        if (size < 16 * 1024) chunk.fill('!')
        if (read) assert.equal((await stream.next()).value, expected.shift())
      }
      for (const each of expected) assert.equal((await stream.next()).value, each)
    },
  )
  await fc.assert(property, { numRuns: runs(100) })
})

test('a reader that keeps up costs no new memory', () => {
  const slab = new Slab()
  const message = Buffer.from('0123456789')
  slab.keep(message, 0, 10)
  const first = slab.bytes
  for (let n = 0; n < 100_000; n++) {
    slab.reuse()
    slab.keep(message, 0, 10)
    assert.equal(slab.bytes, first)
  }
})
