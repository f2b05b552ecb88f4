import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import * as fc from 'fast-check'
import * as z from 'zod'
import { call } from '../../contract/call.ts'
import { contract, contractInfo } from '../../contract/contract.ts'
import type { CallOperation } from '../../contract/operation.ts'
import { composeBody } from '../../http/body-buffer.ts'
import { HttpHeaders } from '../../http/headers.ts'
import { Invalid } from '../../schema/invalid.ts'
import { compileInput } from './input.ts'
import { decodeQuery } from './parameters.ts'
import { compileRouter } from './router.ts'

const fuzz = Number(process.env.TRUNKLINE_FUZZ_RUNS ?? 1)

const Query = contract('test.query.v1', {
  ask: call({
    input: z.object({
      key: z.string(),
      id: z.int64(),
      text: z.string().optional(),
      whole: z.int(),
      double: z.number(),
      flag: z.boolean(),
      at: z.date(),
      color: z.enum(['red', 'green']),
      size: z.literal([1, 2, 3]),
      tags: z.array(z.string()),
      unique: z.set(z.int32()),
      token: z.string(),
    }),
    rest: { route: 'GET /ask/{key}/{id}', headers: { token: 'X-Token' } },
  }),
})

const operation = contractInfo(Query).operations.get('ask') as CallOperation
const codec = compileInput(operation, 100)
const router = compileRouter([{ method: 'GET', path: operation.rest.path, target: undefined }])
const nothing = Buffer.alloc(0)

const wellFormed = fc.string({ unit: 'grapheme' }).filter((text) => text.isWellFormed())
const values = fc.record(
  {
    key: wellFormed.filter((text) => text !== '' && text !== '.' && text !== '..'),
    id: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
    text: wellFormed,
    whole: fc.maxSafeInteger(),
    double: fc.double({ noNaN: true, noDefaultInfinity: true }),
    flag: fc.boolean(),
    at: fc.date({ min: new Date('0001-01-01'), max: new Date('9999-01-01'), noInvalidDate: true }),
    color: fc.constantFrom('red', 'green'),
    size: fc.constantFrom(1, 2, 3),
    tags: fc.array(wellFormed),
    unique: fc.uniqueArray(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })).map((list) => new Set(list)),
    token: fc.stringMatching(/^[\x21-\x7e]{0,20}$/),
  },
  {
    requiredKeys: ['key', 'id', 'whole', 'double', 'flag', 'at', 'color', 'size', 'tags', 'unique', 'token'],
  },
)

suite('parameters', () => {
  test('every value that is written is read back', () => {
    fc.assert(
      fc.property(values, (value) => {
        const { parameters, body } = codec.write(value, composeBody)
        assert.equal(body, undefined)
        assert.ok(parameters !== undefined)

        const path = `/ask/${parameters.path.join('/')}`
        assert.match(`${path}?${parameters.query}`, /^[\x21-\x7e]*$/)
        const match = router.find('GET', path)
        assert.ok(match.kind === 'found')
        const headers = new HttpHeaders([...parameters.headers])
        const read = codec.read({ path: match.parameters, query: parameters.query, headers }, nothing, 0, 0)
        // A query has text for numbers, and minus zero is zero there.
        assert.deepEqual(read, { ...value, double: value.double + 0 })
      }),
      { numRuns: 200 * fuzz },
    )
  })

  test('no query and no header makes reading throw anything but Invalid', () => {
    const piece = fc.constantFrom(
      'tags',
      'whole',
      '=',
      '&',
      '%',
      '%2',
      '%41',
      '+',
      'true',
      '7',
      '[]',
      '\u0000',
      'é',
    )
    fc.assert(
      fc.property(fc.array(piece), fc.string({ unit: 'binary' }), (pieces, token) => {
        try {
          const headers = new HttpHeaders(['x-token', token])
          codec.read({ path: ['k', '1'], query: pieces.join(''), headers }, nothing, 0, 0)
          assert.fail('half of the parameters are missing')
        } catch (error) {
          assert.ok(error instanceof Invalid, String(error))
        }
      }),
      { numRuns: 300 * fuzz },
    )
  })

  test('what has no form outside of a body is refused, with the field and the reason', () => {
    const usual = {
      key: 'k',
      id: 1n,
      whole: 1,
      double: 1,
      flag: true,
      at: new Date(0),
      color: 'red',
      size: 1,
      tags: [],
      unique: new Set(),
      token: 't',
    }
    for (const [change, message] of [
      [{ key: '' }, /^key: "" cannot be a segment/],
      [{ key: '..' }, /^key: "\.\." cannot be a segment/],
      [{ token: 'ä' }, /^token: travels in a header/],
      [{ token: ' a' }, /^token: travels in a header/],
    ] as const) {
      assert.throws(
        () => codec.write({ ...usual, ...change }, composeBody),
        (error) => error instanceof Invalid && message.test(error.message),
      )
    }
  })

  test('a plus is a space, as forms write it', () => {
    assert.equal(decodeQuery('a+b%2B'), 'a b+')
    assert.equal(decodeQuery('%'), undefined)
  })
})
