import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { LineTooLong } from './ndjson.ts'
import { SseParser, sseBegin, sseEnd, sseKeepAlive, sseProblem, sseStop } from './sse.ts'

function eventsOf(chunks: readonly Buffer[], limit = 1000): [string, string][] {
  const events: [string, string][] = []
  const parser = new SseParser(limit, (type, data) => events.push([type, data]))
  for (const chunk of chunks) parser.push(chunk, 0, chunk.length)
  return events
}

suite('server-sent events', () => {
  test('are read as they are written', () => {
    const message = (json: string) => sseBegin + json + sseStop
    const text = message('{"a":1}') + sseKeepAlive + message('2') + sseProblem('{"status":500}') + sseEnd
    assert.deepEqual(eventsOf([Buffer.from(text)]), [
      ['message', '{"a":1}'],
      ['message', '2'],
      ['problem', '{"status":500}'],
      ['end', '{}'],
    ])
  })

  test('follow the standard in what others write', () => {
    const text = '\ufeffdata:a\rdata: b\r\r\nevent: x\n: comment\ndata\n\nid: 7\n\ndata: unfinished\n'
    assert.deepEqual(eventsOf([Buffer.from(text)]), [
      ['message', 'a\nb'],
      ['x', ''],
    ])
  })

  test('are the same wherever the bytes are cut', () => {
    const bytes = Buffer.from('data: é€\r\n\r\ndata: 2\r\rdata: 3\n\nevent: end\ndata: {}\n\n')
    const whole = eventsOf([bytes])
    assert.equal(whole.length, 4)
    for (let at = 0; at <= bytes.length; at++) {
      assert.deepEqual(eventsOf([bytes.subarray(0, at), bytes.subarray(at)]), whole, `cut at ${at}`)
    }
    assert.deepEqual(eventsOf(Array.from(bytes, (byte) => Buffer.of(byte))), whole)
  })

  test('are bounded, in one line and in many', () => {
    assert.throws(() => eventsOf([Buffer.from(`data: ${'x'.repeat(100)}\n\n`)], 50), LineTooLong)
    assert.throws(() => eventsOf([Buffer.from('data: 123456789\n'.repeat(10))], 50), LineTooLong)
  })
})
