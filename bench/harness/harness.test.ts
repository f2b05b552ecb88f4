import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inProcess } from './in-process.ts'
import { figure } from './markdown.ts'
import { replaceSection } from './report.ts'
import { isMet } from './scenario.ts'
import { percentile, ratios, slope, spread } from './statistics.ts'

test('a spread is minimum, median and maximum; a percentile the nearest rank', () => {
  assert.deepEqual(spread([5, 1, 3]), { min: 1, median: 3, max: 5 })
  assert.equal(percentile([1, 2, 3, 4], 99), 4)
  assert.equal(percentile([1, 2, 3, 4], 50), 2)
})

test('ratios are taken round by round', () => {
  assert.deepEqual(ratios([1, 2, 4], [3, 6, 12]), { min: 3, median: 3, max: 3 })
})

test('growth is the median of all slopes: one sample that lies far off does not count', () => {
  assert.equal(slope([1, 3, 5, 7]), 2)
  assert.equal(slope([5, 5, 90, 5, 5]), 0)
})

test('a section of the page is replaced where it stands, or appended', () => {
  const page = replaceSection(replaceSection('# Page\n', 'a', 'A1'), 'b', 'B1')
  assert.equal(
    page,
    '# Page\n\n<!-- bench:a -->\nA1\n<!-- /bench:a -->\n\n<!-- bench:b -->\nB1\n<!-- /bench:b -->\n',
  )
  assert.equal(replaceSection(page, 'a', 'A2'), page.replace('A1', 'A2'))
})

test('a promise that was not measured is not kept', () => {
  assert.equal(isMet({ what: '', measured: Number.NaN, atLeast: 1 }), false)
  assert.equal(isMet({ what: '', measured: 2, atLeast: 1 }), true)
  assert.equal(isMet({ what: '', measured: 2, atMost: 1 }), false)
})

test('figures have three digits', () => {
  assert.deepEqual([1.234, 12.34, 123.4, 12_340, 123_400].map(figure), [
    '1.23',
    '12.3',
    '123',
    '12.3k',
    '123k',
  ])
})

test('functions are compared in one process, and a wrong result stops the run', async () => {
  const group = (value: number) => ({
    name: 'sum',
    contenders: [
      { name: 'ours', run: () => 1 + 1, check: (sum: number) => assert.equal(sum, value) },
      { name: 'other', run: () => [1, 1].reduce((a, b) => a + b), atLeast: 0 },
    ],
  })

  const scenario = (value: number) => inProcess({ title: '', about: '', groups: [group(value)] })
  const { targets, report } = await scenario(2).run({ rounds: 2, seconds: 0.01 })
  assert.equal(targets.length, 1)
  assert.match(report, /sum: other/)
  await assert.rejects(scenario(3).run({ rounds: 1, seconds: 0.01 }), assert.AssertionError)
})
