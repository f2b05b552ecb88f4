import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withDefaults } from './with-defaults.ts'

const first = { a: 1, b: 2 }
const second = { b: 20, c: 30 }

test('what is given replaces the defaults, what is unknown or undefined does not', () => {
  const given: { a: number; b?: number; other: number } = { a: 5, b: undefined, other: 6 }
  assert.deepEqual(withDefaults(first, given), { a: 5, b: 2 })
  assert.equal(withDefaults(first, undefined), first)
})

test('the same options give the same limits, and each engine its own', () => {
  const given = { b: 7 }
  assert.equal(withDefaults(first, given), withDefaults(first, given))
  assert.deepEqual(withDefaults(first, given), { a: 1, b: 7 })
  assert.deepEqual(withDefaults(second, given), { b: 7, c: 30 })
})
