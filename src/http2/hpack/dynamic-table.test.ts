import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DynamicTable } from './dynamic-table.ts'
import { staticSize, staticTable } from './static-table.ts'
import { TableEntry } from './table-entry.ts'

const entry = (name: string, value = '') => new TableEntry(name, value, true, true)
const first = staticSize + 1

test('the static table has 61 fields, the last index first used by the dynamic one', () => {
  assert.equal(staticSize, 61)
  assert.equal(staticTable[0], undefined)
  assert.equal(staticTable[1]!.name, ':authority')
  assert.equal(staticTable[8]!.value, '200')
  assert.equal(staticTable[16]!.value, 'gzip, deflate')
  assert.equal(staticTable[61]!.name, 'www-authenticate')
})

test('the newest entry has the lowest index, and the oldest goes first', () => {
  const table = new DynamicTable(100)
  const [a, b, c] = [entry('a'), entry('b'), entry('c')]
  for (const each of [a, b, c]) table.insert(each)

  assert.equal(table.size, 99)
  assert.deepEqual([table.get(first), table.get(first + 1), table.get(first + 2)], [c, b, a])
  assert.equal(table.get(first + 3), undefined)
  assert.equal(table.oldest, a)

  const d = entry('d')
  table.insert(d)
  assert.deepEqual(
    [d, c, b, a].map((each) => table.has(each) && table.indexOf(each)),
    [first, first + 1, first + 2, false],
  )
  assert.equal(table.get(first + 3), undefined)
})

test('an entry that is larger than the table empties it (RFC 7541 section 4.4)', () => {
  const table = new DynamicTable(64)
  const a = entry('a')
  table.insert(a)
  table.insert(entry('long', 'x'.repeat(29)))
  assert.equal(table.size, 0)
  assert.equal(table.count, 0)
  assert.equal(table.has(a), false)
  assert.equal(table.get(first), undefined)
})

test('a smaller bound evicts, and whatever moves an index changes the epoch', () => {
  const table = new DynamicTable(4096)
  const entries = Array.from({ length: 100 }, (_, i) => entry('n', String(i)))
  for (const each of entries) table.insert(each)
  assert.deepEqual(
    entries.map((each) => table.get(table.indexOf(each))),
    entries,
  )

  const { epoch } = table
  table.resize(4096)
  assert.equal(table.epoch, epoch)
  table.resize(100)
  assert.notEqual(table.epoch, epoch)
  assert.equal(table.count, 2)
  table.resize(0)
  assert.equal(table.size, 0)
  assert.equal(table.oldest, undefined)
})
