import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFieldValue } from './field.ts'

test('values have no control characters but the tab, and nothing beyond Latin-1', () => {
  for (const good of ['', 'a', 'a\tb', ' a ', 'é\xff'])
    assert.equal(isFieldValue(good), true, JSON.stringify(good))
  for (const bad of ['\n', 'a\r\nb: c', '\0', '\x7f', '☺']) {
    assert.equal(isFieldValue(bad), false, JSON.stringify(bad))
  }
})

test('long values are looked at as closely, though those that were checked last are known', () => {
  const tokens = Array.from({ length: 10 }, (_, n) => `Bearer ${String(n).repeat(800)}`)
  for (const token of [...tokens, ...tokens]) {
    assert.equal(isFieldValue(token), true)
    assert.equal(isFieldValue(token.slice()), true)
    assert.equal(isFieldValue(`${token.slice(0, -1)}\n`), false)
    assert.equal(isFieldValue(`${token}\r\nx: y`), false)
    assert.equal(isFieldValue(`\n${token.slice(1)}`), false)
  }
})
