import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { runs } from '../../../test/support/fuzz.ts'
import type { Schema } from '../../schema/type.ts'
import { Writer } from '../writer.ts'
import { compileJson } from './compile.ts'

const counts: Schema = {
  root: {
    type: {
      kind: 'map',
      js: 'record',
      key: { kind: 'string' },
      of: { type: { kind: 'int', bits: 32, signed: true, js: 'number' } },
    },
  },
  types: {},
}

const key = fc.oneof(
  fc.constantFrom(
    'eu',
    'us',
    '__proto__',
    'constructor',
    '',
    '"',
    '\\',
    '\n',
    '\x7f',
    '\ud800',
    '😀',
    'é'.repeat(9),
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.integer({ min: 0, max: 1000 }).map(String),
)
const entries = fc.array(fc.tuple(key, fc.integer({ min: -1000, max: 1_000_000 })), { maxLength: 30 })

test('a map is written as JSON.stringify writes it, whatever keys there are and were before', () => {
  const codec = compileJson(counts, 'trunkline')
  const writer = new Writer(64)
  fc.assert(
    fc.property(entries, (list) => {
      const map = Object.fromEntries(list)
      writer.reset()
      codec.encodeInto(map, writer)
      assert.equal(writer.written().toString(), JSON.stringify(map))
    }),
    { numRuns: runs(500) },
  )
})

test('keys that a prototype has are not written', () => {
  const codec = compileJson(counts, 'trunkline', { generate: true })
  const map = Object.assign(Object.create({ inherited: 1 }) as Record<string, number>, { own: 2 })
  const writer = new Writer()
  codec.encodeInto(map, writer)
  assert.equal(writer.written().toString(), '{"own":2}')
})
