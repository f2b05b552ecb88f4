import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { collector } from './body.ts'
import { Gathered } from './gathered.ts'
import { PartialBodies } from './partial-bodies.ts'

const packet = Buffer.alloc(64 * 1024, 'x')

test('a body that comes byte by byte costs at most twice its bytes, in few Buffers', () => {
  const gathered = new Gathered()
  for (let size = 1; size <= 200_000; size++) {
    // Each in a packet of its own, of which nothing may be kept.
    gathered.add(packet, size % packet.length, (size % packet.length) + 1)
    assert.ok(gathered.capacity <= 2 * size + 256, `${gathered.capacity} bytes are kept for ${size}`)
  }
  assert.ok(gathered.blocks <= 16, `${gathered.blocks} Buffers`)
  assert.equal(gathered.take().length, 200_000)
  assert.deepEqual([gathered.size, gathered.capacity, gathered.blocks], [0, 0, 0])
})

test('a body that is collected byte by byte takes few Buffers, none of them of the pool, until it is complete', (t) => {
  const pooled = t.mock.method(Buffer, 'allocUnsafe')
  const own = t.mock.method(Buffer, 'allocUnsafeSlow')
  let body: Buffer | undefined
  const sink = collector(1 << 20, [], (all) => (body = all))
  for (let at = 0; at < 50_000; at++) sink.data(packet, at, at + 1)

  const sizes = own.mock.calls.map(({ arguments: [size] }) => size)
  assert.equal(pooled.mock.callCount(), 0)
  assert.ok(sizes.length <= 12, `${sizes.length} Buffers`)
  const kept = sizes.reduce((sum, size) => sum + size, 0)
  assert.ok(kept <= 100_256, `${kept} bytes`)
  sink.end(undefined)
  assert.equal(body?.length, 50_000)
})

test('however bytes are cut, they are the same when taken whole or block by block', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 700 }), { maxLength: 30 }), (pieces) => {
      const all = Buffer.concat(pieces)
      const whole = new Gathered()
      const blocks = new Gathered()
      const taken: Buffer[] = []
      for (const [index, piece] of pieces.entries()) {
        const bytes = Buffer.from(piece)
        assert.ok(whole.add(bytes, 0, bytes.length) && blocks.add(bytes, 0, bytes.length))
        bytes.fill(0)
        if (index % 3 === 2) taken.push(blocks.shift() ?? Buffer.alloc(0))
      }
      for (let block = blocks.shift(); block !== undefined; block = blocks.shift()) taken.push(block)
      assert.ok(whole.take().equals(all))
      assert.ok(Buffer.concat(taken).equals(all))
      assert.deepEqual([blocks.size, blocks.capacity], [0, 0])
    }),
  )
})

test('what is kept is counted, and given back with each block, at the end, and when it is forgotten', () => {
  const bodies = new PartialBodies(1 << 20)
  const gathered = new Gathered(bodies.open(assert.fail))
  gathered.add(packet, 0, 10_000)
  gathered.add(packet, 0, 1)
  assert.equal(bodies.held, gathered.capacity)
  gathered.shift()
  assert.equal(bodies.held, gathered.capacity)
  gathered.take()
  assert.equal(bodies.held, 0)
  gathered.add(packet, 0, 1)
  gathered.clear()
  assert.equal(bodies.held, 0)
})
