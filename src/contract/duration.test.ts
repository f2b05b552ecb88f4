import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Duration, parseDuration } from './duration.ts'

test('a duration is milliseconds, or a number with its unit', () => {
  const cases: [Duration, number][] = [
    [0, 0],
    [1.5, 1.5],
    ['500ms', 500],
    ['1.5s', 1_500],
    ['2m', 120_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
  ]

  for (const [duration, milliseconds] of cases) assert.equal(parseDuration(duration), milliseconds)
})

test('anything else is refused, and the message shows what there is', () => {
  for (const wrong of ['5 parsecs', '5', 's', '-1s', '1e3s', ' 1s', '', -1, NaN, Infinity, null, undefined]) {
    assert.throws(
      () => parseDuration(wrong as Duration, 'timeout of place'),
      /timeout of place: expected .*'500ms'/,
    )
  }
})
