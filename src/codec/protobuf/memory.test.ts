/** What is decoded keeps no large frame in memory. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Schema } from '../../schema/type.ts'
import { Writer } from '../writer.ts'
import { compileProtobuf } from './compile.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const text = { kind: 'string' } as const
const schema: Schema = {
  root: { type: { kind: 'ref', to: 'Page' } },
  types: {
    Page: {
      kind: 'object',
      unknown: 'strip',
      fields: [
        { name: 'title', number: 1, type: text },
        { name: 'body', number: 2, type: text },
        {
          name: 'lines',
          number: 3,
          type: { kind: 'list', js: 'array', of: { type: { kind: 'ref', to: 'Line' } } },
        },
      ],
    },
    Line: { kind: 'object', unknown: 'strip', fields: [{ name: 'sku', number: 1, type: text }] },
  },
}

for (const generate of [true, false]) {
  test(`short strings of large frames keep nothing else in memory (${generate ? 'generated' : 'closures'})`, () => {
    const codec = compileProtobuf(schema, { generate })
    const writer = new Writer()
    const sku = 'a stock keeping unit with a long name'
    codec.encode(
      { title: 'a title that is long enough to be a slice', body: 'x'.repeat(1 << 20), lines: [{ sku }] },
      writer,
    )
    const frame = writer.copy()

    collect()
    const before = process.memoryUsage().heapUsed
    const kept: string[] = []
    for (let index = 0; index < 40; index += 1) {
      const page = codec.decode(frame, 0, frame.length) as { title: string; lines: { sku: string }[] }
      kept.push(page.title, page.lines[0]?.sku ?? '')
    }
    collect()

    const grown = process.memoryUsage().heapUsed - before
    assert.ok(grown < 4 * 1024 * 1024, `80 short strings keep ${grown} bytes`)
    assert.equal(kept.length, 80)
  })
}
