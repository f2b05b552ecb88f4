import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Check, Type } from '../schema/type.ts'
import { broken, brokenSource, expected, got } from './checks.ts'
import { program } from './generate.ts'

const text = (...checks: Check[]): Type => ({ kind: 'string', checks })
const integer = (...checks: Check[]): Type => ({ kind: 'int', bits: 32, signed: true, js: 'number', checks })
const big = (...checks: Check[]): Type => ({ kind: 'int', bits: 64, signed: true, js: 'bigint', checks })
const float = (...checks: Check[]): Type => ({ kind: 'float', bits: 64, checks })
const instant = (...checks: Check[]): Type => ({ kind: 'instant', checks })
const list = (...checks: Check[]): Type => ({
  kind: 'list',
  js: 'array',
  of: { type: { kind: 'bool' } },
  checks,
})
const set = (...checks: Check[]): Type => ({ ...list(...checks), js: 'set' }) as Type
const record = (...checks: Check[]): Type => ({
  kind: 'map',
  js: 'record',
  key: { kind: 'string' },
  of: { type: { kind: 'bool' } },
  checks,
})
const format = (name: string): Type => ({ kind: 'string', format: name })

const cases: readonly (readonly [Type, readonly unknown[], readonly unknown[]])[] = [
  [integer({ check: 'min', value: '1' }), [1, 2], [0, -1]],
  [integer({ check: 'min', value: '1', exclusive: true }), [2], [1]],
  [integer({ check: 'max', value: '9' }, { check: 'min', value: '7' }), [7, 9], [6, 10]],
  [integer({ check: 'max', value: '9', exclusive: true }), [8], [9]],
  [integer({ check: 'multipleOf', value: '3' }), [0, 3, -6], [1, -4]],
  [big({ check: 'min', value: '9007199254740993' }), [9007199254740993n], [9007199254740992n]],
  [big({ check: 'multipleOf', value: '3' }), [0n, -6n], [1n]],
  [big({ check: 'multipleOf', value: '0' }), [], [0n, 1n]],
  [float({ check: 'multipleOf', value: '0.1' }), [0, 0.3, 1.1], [0.35]],
  [float({ check: 'min', value: '0.5' }), [0.5, Infinity], [0.25, NaN]],
  [text({ check: 'maxLength', value: '2' }), ['', 'ab', '😀', '😀😀'], ['abc', '😀😀😀', 'ab😀']],
  [text({ check: 'minLength', value: '2' }), ['ab', '😀😀', 'a😀'], ['', 'a', '😀']],
  [text({ check: 'minLength', value: '1' }), ['a'], ['']],
  [text({ check: 'pattern', source: '^[a-z]+$', flags: 'g' }), ['abc', 'abc', 'abc'], ['', 'A']],
  [text({ check: 'pattern', source: 'a', flags: 'y' }), ['a', 'ab', 'a'], ['ba']],
  [instant({ check: 'min', value: '2020-01-01T00:00:00Z' }), [new Date(1577836800000)], [new Date(0)]],
  [list({ check: 'maxLength', value: '1' }), [[], [true]], [[true, true]]],
  [set({ check: 'minLength', value: '1' }), [new Set([true])], [new Set()]],
  [record({ check: 'maxLength', value: '1' }), [{}, { a: true }], [{ a: true, b: true }]],
  [format('date'), ['2024-02-29', '2000-02-29'], ['2023-02-29', '1900-02-29', '2024-13-01', '2024-1-1', '']],
  [format('time'), ['10:00:00', '10:00', '23:59:59.999Z'], ['24:00:00', '10:60:00', '1:00:00']],
  [
    format('date-time'),
    ['2024-02-29T10:00:00Z', '2024-02-29T10:00:00.5+02:00'],
    ['2024-02-29T10:00:00', 'x'],
  ],
  [format('duration'), ['P1D', 'PT1.5S', 'P2W', 'P1Y2M3DT4H5M6S'], ['P', 'PT', 'P1', '1D', 'P1WT1S']],
  [format('uuid'), ['0190a8c4-9f0b-7c3e-8d5a-2b1c3d4e5f60'], ['0190a8c4', '']],
  [format('email'), ['a@example.com', 'first.last+tag@mail.example.org'], ['a', 'a@', '@b.c', 'a b@c.de']],
  [format('uri'), ['https://example.com/a?b#c', 'urn:isbn:1'], ['example.com', '']],
  [format('ipv4'), ['127.0.0.1'], ['256.0.0.1', '1.2.3', '']],
  [format('ipv6'), ['::1', '::ffff:1.2.3.4', '::0:0.0.0.0', 'fe80::1'], ['1.2.3.4', 'fe80::1%eth0', '']],
  [format('decimal'), ['1', '-1.50'], ['1.', '.5', '1e3', '']],
  [format('unknown-to-us'), ['anything'], []],
]

function generated(type: Type): (value: unknown) => boolean {
  const into = program()
  const condition = brokenSource(type, 'value', into)
  return into.build(`return (value) => ${condition === '' ? 'false' : condition}`)
}

test('a value breaks a check or does not, the same in closures and in generated code', () => {
  for (const [type, good, bad] of cases) {
    const closure = broken(type) ?? (() => false)
    const code = generated(type)

    for (const value of good) {
      assert.equal(closure(value), false, `${JSON.stringify(type)} takes ${String(value)}`)
      assert.equal(code(value), false, `${JSON.stringify(type)} takes ${String(value)} in generated code`)
    }
    for (const value of bad) {
      assert.equal(closure(value), true, `${JSON.stringify(type)} refuses ${String(value)}`)
      assert.equal(code(value), true, `${JSON.stringify(type)} refuses ${String(value)} in generated code`)
    }
  }
})

test('a type without checks costs nothing', () => {
  assert.equal(broken({ kind: 'string' }), undefined)
  assert.equal(brokenSource({ kind: 'bool' }, 'value', program()), '')
})

test('what a type wants is said in words', () => {
  const words: readonly (readonly [Type, string])[] = [
    [integer({ check: 'min', value: '1' }), 'an integer ≥ 1'],
    [
      integer({ check: 'min', value: '1' }, { check: 'max', value: '9', exclusive: true }),
      'an integer ≥ 1 and < 9',
    ],
    [integer(), 'a 32-bit integer'],
    [text({ check: 'maxLength', value: '64' }), 'a string of at most 64 characters'],
    [text({ check: 'pattern', source: '^a$', flags: '' }), 'a string matching /^a$/'],
    [format('uuid'), 'a UUID'],
    [list({ check: 'minLength', value: '1' }), 'a list of at least 1 entries'],
    [{ kind: 'literal', values: ['a'] }, '"a"'],
    [{ kind: 'literal', values: ['a', 'b'] }, 'one of "a", "b"'],
    [{ kind: 'ref', to: 'State' }, 'one of "open", "shut"'],
    [{ kind: 'ref', to: 'Elsewhere' }, 'an object'],
  ]
  const types = {
    State: {
      kind: 'enum',
      values: [
        { name: 'OPEN', value: 'open', number: 0 },
        { name: 'SHUT', value: 'shut', number: 1 },
      ],
    },
  } as const

  for (const [type, phrase] of words) assert.equal(expected(type, types), phrase)
})

test('what was there is said in words, and long strings are cut', () => {
  const words: readonly (readonly [unknown, string])[] = [
    [undefined, 'nothing'],
    [null, 'null'],
    ['two', '"two"'],
    ['x'.repeat(1000), `"${'x'.repeat(40)}…" (1000 characters)`],
    [0, '0'],
    [5n, '5'],
    [new Date(0), '1970-01-01T00:00:00.000Z'],
    [new Date(NaN), 'an invalid Date'],
    [new Uint8Array(3), '3 bytes'],
    [[1], 'a list of 1 entries'],
    [{}, 'an object'],
    [() => 1, 'a function'],
  ]

  for (const [value, phrase] of words) assert.equal(got(value), phrase)
})
