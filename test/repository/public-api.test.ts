import assert from 'node:assert/strict'
import { test } from 'node:test'
import { entryPoints, publicSymbols } from './public-api.ts'
import { exists } from './sources.ts'

test('every entry point of package.json has a source file', () => {
  const missing = entryPoints().filter(({ file }) => !exists(file))
  assert.deepEqual(missing, [])
})

test('every public symbol is declared where a reader can find it, with a doc comment', () => {
  const wrong = publicSymbols()
    .filter((symbol) => symbol.doc === undefined || symbol.doc.split(/\s/).length < 3)
    .map((symbol) => `${symbol.file}:${symbol.line} ${symbol.name} (${symbol.entry}) has no doc comment`)

  assert.deepEqual(wrong, [])
})

test('the doc comment of every public function and class has an @example', () => {
  const wrong = publicSymbols()
    .filter((symbol) => symbol.kind === 'function' || symbol.kind === 'class')
    .filter((symbol) => !symbol.doc?.includes('@example'))
    .map((symbol) => `${symbol.file}:${symbol.line} ${symbol.name} (${symbol.entry}) has no @example`)

  assert.deepEqual(wrong, [])
})
