import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BodyBuffer, composeBody, frontRoom } from './body-buffer.ts'

function write(body: BodyBuffer, text: string): void {
  body.reserve(text.length)
  body.position += body.bytes.write(text, body.position, 'latin1')
}

const text = (body: BodyBuffer) => body.bytes.latin1Slice(body.start, body.position)

test('a body has room in front of it, however it grows', () => {
  const body = composeBody()
  for (const size of [0, 1, 5000, 70_000, 300_000]) {
    body.begin()
    write(body, 'a')
    for (let written = 0; written < size; written += 100) write(body, 'b'.repeat(100))
    assert.equal(body.size, 1 + Math.ceil(size / 100) * 100)
    assert.ok(body.start >= frontRoom)
    assert.equal(text(body), `a${'b'.repeat(body.size - 1)}`)
    assert.equal(body.copy().toString(), text(body))
  }
  body.close()
})

test('bytes that somebody holds are not written over, by a head in front of the next body neither', () => {
  const body = composeBody()
  const held: [Buffer, string][] = []
  for (let index = 0; index < 300; index++) {
    body.begin()
    const own = `${index} `.repeat(1 + (index % 50) * 20)
    write(body, own)
    body.bytes.fill(0x78, body.start - frontRoom, body.start)
    if (index % 3 === 0) {
      held.push([body.bytes.subarray(body.start, body.position), own])
      body.hold()
    }
  }
  body.close()
  for (const [bytes, own] of held) assert.equal(bytes.toString(), own)
})

test('a body that is begun while another is open is in a buffer of its own', () => {
  const outer = composeBody()
  write(outer, 'outer')
  const inner = composeBody()
  write(inner, 'inner')
  assert.notEqual(inner, outer)
  assert.equal(text(outer), 'outer')
  inner.close()
  outer.close()
  const next = composeBody()
  assert.equal(next, outer)
  next.close()
})

test('what was written stays where it was when the buffer grows behind bytes that are held', () => {
  const body = composeBody()
  write(body, 'held')
  body.hold()
  body.begin()
  const { start } = body
  write(body, 'b'.repeat(1_000_000))
  assert.equal(body.start, start)
  assert.equal(body.position, start + 1_000_000)
  assert.equal(text(body), 'b'.repeat(1_000_000))
  body.close()
})
