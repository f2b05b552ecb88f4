import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import * as fc from 'fast-check'
import { LineSplitter, LineTooLong } from './ndjson.ts'

const fuzz = Number(process.env.TRUNKLINE_FUZZ_RUNS ?? 1)

/** The lines of chunks. */
function linesOf(chunks: readonly Buffer[], limit = 1000): string[] {
  const lines: string[] = []
  const splitter = new LineSplitter(limit, (bytes, start, end) =>
    lines.push(bytes.toString('utf8', start, end)),
  )
  for (const chunk of chunks) splitter.push(chunk, 0, chunk.length)
  splitter.finish()
  return lines
}

suite('NDJSON lines', () => {
  test('are what stands between line feeds; blank ones are ignored, the last may lack its own', () => {
    assert.deepEqual(linesOf([Buffer.from('{"a":1}\n\n  \r\n[2]\r\n"drei"')]), ['{"a":1}', '[2]\r', '"drei"'])
    assert.deepEqual(linesOf([]), [])
  })

  test('are the same wherever the bytes are cut', () => {
    const bytes = Buffer.from('{"a":"é€😀"}\n\r\n1\n"x"\n[]')
    const whole = linesOf([bytes])
    for (let at = 0; at <= bytes.length; at++) {
      assert.deepEqual(linesOf([bytes.subarray(0, at), bytes.subarray(at)]), whole)
    }
    assert.deepEqual(linesOf(Array.from(bytes, (byte) => Buffer.of(byte))), whole)
  })

  test('only the given part of a chunk counts', () => {
    const lines: string[] = []
    const splitter = new LineSplitter(100, (bytes, start, end) =>
      lines.push(bytes.toString('utf8', start, end)),
    )
    splitter.push(Buffer.from('no\nyes\nno\n'), 3, 6)
    assert.deepEqual(lines, [])
    splitter.finish()
    assert.deepEqual(lines, ['yes'])
  })

  test('are bounded, in one piece or in many', () => {
    assert.deepEqual(linesOf([Buffer.from('12345\n12345')], 5), ['12345', '12345'])
    assert.throws(() => linesOf([Buffer.from('123456\n')], 5), LineTooLong)
    assert.throws(() => linesOf([Buffer.from('1234'), Buffer.from('56')], 5), LineTooLong)
  })

  test('whatever lines are joined and cut anywhere come back', () => {
    const line = fc.string({ minLength: 1 }).filter((text) => text.trim() !== '' && !/^[\s]|\n/.test(text))
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat(400)), (lines, cuts) => {
        const bytes = Buffer.from(lines.join('\n'))
        const borders = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length]
        const chunks = borders.slice(1).map((end, index) => bytes.subarray(borders[index], end))
        assert.deepEqual(linesOf(chunks, 10_000), lines)
      }),
      { numRuns: 200 * fuzz },
    )
  })
})
