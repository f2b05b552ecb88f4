import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import cli, { page } from '../../scripts/cli-doc.ts'

test('docs/cli.md says what the commands say of themselves', async () => {
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8')
  assert.equal(text, await cli(), 'run `npm run docs`')
})
