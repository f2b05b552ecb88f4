import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as z from 'zod'
import { tableBuilder } from '../../schema/from-standard.ts'
import { Invalid } from '../../schema/invalid.ts'
import { declarationOrder } from '../../schema/numbers.ts'
import { compileJson } from './compile.ts'

test('of the fields of a oneof at most one may be in a JSON body', () => {
  const schema = z.object({
    name: z.string(),
    uri: z.string().optional().meta({ oneof: 'source' }),
    size: z.int32().optional().meta({ oneof: 'source', json: 'bytes' }),
    other: z.int32().optional().meta({ oneof: 'alone' }),
  })
  const table = tableBuilder(declarationOrder())
  const { slot } = table.read(schema, 'Root', 'test')

  for (const [dialect, generate] of [
    ['trunkline', true],
    ['trunkline', false],
    ['protojson', false],
  ] as const) {
    const codec = compileJson({ root: slot, types: table.types }, dialect, { generate })
    const decode = (text: string) => codec.decode(Buffer.from(text), 0, Buffer.byteLength(text))

    assert.deepEqual(decode('{"name":"a","bytes":1,"other":2}'), { name: 'a', size: 1, other: 2 })
    assert.throws(
      () => decode('{"name":"a","uri":"b","bytes":1}'),
      (error) => error instanceof Invalid && /expected at most one of "uri", "bytes"/.test(error.message),
    )
  }
})
