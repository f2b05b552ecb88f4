import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { runs } from '../../test/support/fuzz.ts'
import { StreamTable } from './stream-table.ts'

test('whatever comes and goes, the table holds what a Map would', () => {
  const steps = fc.array(fc.record({ opens: fc.nat(40), closes: fc.array(fc.nat(100), { maxLength: 40 }) }), {
    maxLength: 60,
  })
  fc.assert(
    fc.property(steps, (all) => {
      const table = new StreamTable<{ id: number }>()
      const model = new Map<number, { id: number }>()
      let next = 1
      for (const { opens, closes } of all) {
        for (let i = 0; i < opens; i++, next += 2) {
          const stream = { id: next }
          table.add(stream)
          model.set(next, stream)
        }
        for (const share of closes) {
          const stream = [...model.values()][Math.floor((share / 101) * model.size)]
          if (stream === undefined) continue
          assert.equal(table.remove(stream), true)
          assert.equal(table.remove(stream), false)
          model.delete(stream.id)
        }
        assert.equal(table.size, model.size)
        assert.deepEqual(table.all(), [...model.values()])
        for (let id = 1; id < next + 4; id += 2) assert.equal(table.get(id), model.get(id))
      }
      table.clear()
      assert.deepEqual([table.size, table.all(), table.get(1)], [0, [], undefined])
    }),
    { numRuns: runs(60) },
  )
})

test('one stream that stays does not stand in the way of a million that come and go', () => {
  const table = new StreamTable<{ id: number }>()
  const staying = { id: 1 }
  table.add(staying)
  for (let id = 3; id < 200_000; id += 2) {
    const stream = { id }
    table.add(stream)
    assert.equal(table.get(1), staying)
    table.remove(stream)
  }
  assert.deepEqual(table.all(), [staying])
})
