import assert from 'node:assert/strict'
import { test } from 'node:test'
import { didYouMean, editDistance, nearest } from './nearest.ts'

test('a suggestion is near, and there is none when nothing is', () => {
  assert.equal(nearest('plcae', ['place', 'get']), 'place')
  assert.equal(nearest('Place', ['place', 'get']), 'place')
  assert.equal(nearest('timeot', ['signal', 'timeout']), 'timeout')
  assert.equal(nearest('zzz', ['place', 'get']), undefined)
  assert.equal(nearest('x', []), undefined)
  assert.equal(nearest('x', ['a']), undefined)
})

test('the beginning of a name means that name', () => {
  assert.equal(nearest('id', ['idempotencyKey']), undefined)
  assert.equal(nearest('desc', ['describe', 'serve']), 'describe')
})

test('a suggestion is a question, or nothing', () => {
  assert.equal(didYouMean('plcae', ['place']), " Did you mean 'place'?")
  assert.equal(didYouMean('zzz', ['place']), '')
})

test('the distance counts insertions, deletions, replacements, and swaps of neighbours', () => {
  assert.equal(editDistance('kitten', 'sitting'), 3)
  assert.equal(editDistance('ab', 'ba'), 1)
  assert.equal(editDistance('', 'abc'), 3)
  assert.equal(editDistance('same', 'same'), 0)
})
