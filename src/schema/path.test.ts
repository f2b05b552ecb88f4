import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatPath } from './path.ts'

test('a path reads like JavaScript', () => {
  const paths: readonly (readonly [readonly PropertyKey[], string])[] = [
    [[], ''],
    [['tags', 2], 'tags[2]'],
    [[2, 'quantity'], '[2].quantity'],
    [['lines', 0, 'unit price'], 'lines[0]["unit price"]'],
    [['labels', 'eu'], 'labels.eu'],
    [['labels', 'größe'], 'labels.größe'],
    [['labels', '12', ''], 'labels["12"][""]'],
    [['order-id'], '["order-id"]'],
    [['labels', 'x'.repeat(64)], `labels.${'x'.repeat(64)}`],
    [['labels', 'x'.repeat(65)], `labels["${'x'.repeat(64)}…"]`],
    [[Symbol('s')], '[Symbol(s)]'],
  ]
  for (const [segments, path] of paths) assert.equal(formatPath(segments), path)
  assert.equal(formatPath([{ key: 'a' }, { key: 0 }]), 'a[0]')
})
