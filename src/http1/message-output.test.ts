import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { HttpHeaders } from '../http/headers.ts'
import { type Delimiting, MessageOutput } from './message-output.ts'
import { recordResponses } from './recording.ts'

const runs = 150 * Number(process.env.TRUNKLINE_FUZZ_RUNS ?? 1)

/** Keeps what is written, at once or later; a copy only when the write is done, as a socket's kernel does. */
function sink(slow: boolean): { stream: Writable; written: Buffer[] } {
  const written: Buffer[] = []
  const stream = new Writable({
    decodeStrings: false,
    highWaterMark: 64 * 1024,
    write(piece: string | Buffer, encoding, done) {
      const take = () => {
        written.push(typeof piece === 'string' ? Buffer.from(piece, encoding) : Buffer.from(piece))
        done()
      }
      if (slow) setImmediate(take)
      else take()
    },
  })
  return { stream, written }
}

const head = 'HTTP/1.1 200 OK\r\nx-a: b\r\n'

type Step = { kind: 'write' | 'reserve'; size: number; turn: boolean }

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    kind: fc.constantFrom('write', 'reserve'),
    size: fc.oneof(fc.nat(20), fc.nat(5000), fc.nat(70_000)),
    turn: fc.boolean(),
  }),
  { maxLength: 12 },
)

async function run(
  delimiting: Delimiting,
  slow: boolean,
  list: readonly Step[],
  ending: 'end' | 'last' | 'trailers',
): Promise<{ message: Buffer; body: string }> {
  const { stream, written } = sink(slow)
  let completed = 0
  const output = new MessageOutput(stream, head, delimiting, () => completed++)
  let body = ''
  for (const [index, { kind, size, turn }] of list.entries()) {
    const text = String.fromCharCode(97 + index).repeat(size)
    const end = ending === 'last' && index === list.length - 1
    body += text
    if (kind === 'write') output.write(Buffer.from(text), end)
    else {
      const room = output.reserve(size)
      room.bytes.write(text, room.start, 'latin1')
      output.commit(size, end)
    }
    if (turn) await new Promise(setImmediate)
  }
  if (ending === 'trailers') output.end(new HttpHeaders(['x-end', 'yes']))
  else if (!output.complete) output.end()
  assert.equal(completed, 1)
  stream.end()
  await new Promise((resolve) => stream.once('finish', resolve))
  return { message: Buffer.concat(written), body }
}

test('whatever is written, and however, the message reads as what was written', async () => {
  await fc.assert(
    fc.asyncProperty(
      steps,
      fc.boolean(),
      fc.constantFrom('end', 'last', 'trailers'),
      async (list, slow, ending) => {
        const { message, body } = await run('chunked', slow, list, ending)
        const read = recordResponses([message])
        assert.equal(read.reason, undefined)
        assert.equal(read.messages.length, 1)
        assert.equal(read.messages[0]?.body, body)
        assert.equal(read.messages[0]?.endsAt, message.length)
        assert.deepEqual(read.messages[0]?.trailers, ending === 'trailers' ? ['x-end', 'yes'] : undefined)
      },
    ),
    { numRuns: runs },
  )
})

test('outputs that are written in turns share a slab and do not disturb each other', async () => {
  const pairs = Array.from({ length: 50 }, (_, index) => {
    const { stream, written } = sink(true)
    return { index, written, output: new MessageOutput(stream, head, 'chunked', () => {}), body: '' }
  })
  for (let round = 0; round < 20; round++) {
    for (const pair of pairs) {
      const text = `${pair.index}.${round} `
      pair.body += text
      const { bytes, start } = pair.output.reserve(200)
      pair.output.commit(bytes.write(text, start, 'latin1'), round === 19)
    }
    if (round % 3 === 0) await new Promise(setImmediate)
  }
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
  for (const pair of pairs) {
    assert.equal(recordResponses([Buffer.concat(pair.written)]).messages[0]?.body, pair.body)
  }
})

test('a body that ends with its first piece is one write with Content-Length', async () => {
  const { stream, written } = sink(false)
  const output = new MessageOutput(stream, head, 'chunked', () => {})
  output.write(Buffer.from('hello'), true)
  assert.deepEqual(written.map(String), [`${head}content-length: 5\r\n\r\nhello`])
})

test('without chunks the body is as it is; without a body it is left away', async () => {
  const list: Step[] = [
    { kind: 'write', size: 10, turn: true },
    { kind: 'reserve', size: 10, turn: true },
    { kind: 'write', size: 10_000, turn: false },
  ]
  const until = await run('close', false, list, 'end')
  assert.equal(until.message.toString(), `${head}\r\n${until.body}`)
  const none = await run('none', false, list, 'end')
  assert.equal(none.message.toString(), `${head}\r\n`)
  const nothing = await run('none', false, [], 'end')
  assert.equal(nothing.message.toString(), `${head}\r\n`)
})
