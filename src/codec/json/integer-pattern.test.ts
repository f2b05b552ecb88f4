import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { integerPattern } from './integer-pattern.ts'

const fuzz = Number(process.env.TRUNKLINE_FUZZ_RUNS ?? 1)

test('an integer pattern matches the numerals of its range and nothing else', () => {
  fc.assert(
    fc.property(fc.bigInt(-3000n, 3000n), fc.bigInt(0n, 4000n), (least, size) => {
      const most = least + size
      const pattern = new RegExp(integerPattern(least, most))
      for (let value = least - 300n; value <= most + 300n; value += 1n) {
        assert.equal(pattern.test(String(value)), value >= least && value <= most, `${value} in ${pattern}`)
      }
    }),
    { numRuns: 30 * fuzz },
  )
})

test('the range of a 64-bit integer is exact', () => {
  const pattern = new RegExp(integerPattern(-(2n ** 63n), 2n ** 63n - 1n))
  for (const inside of [
    '0',
    '-1',
    '9',
    '10',
    '9223372036854775807',
    '-9223372036854775808',
    '999999999999999999',
  ]) {
    assert.match(inside, pattern)
  }
  for (const outside of [
    '9223372036854775808',
    '-9223372036854775809',
    '-0',
    '01',
    '+1',
    '',
    '1.0',
    '10000000000000000000',
  ]) {
    assert.doesNotMatch(outside, pattern)
  }
})
