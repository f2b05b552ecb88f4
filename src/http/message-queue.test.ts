import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MessageQueue } from './message-queue.ts'

test('messages that are almost nothing hold the body up too, and let it go on once they are read', async () => {
  let paused = false
  const queue = new MessageQueue({
    window: 64 * 1024,
    flow: { pause: () => (paused = true), resume: () => (paused = false) },
    onReturn: () => {},
  })

  let waiting = 0
  while (!paused) {
    queue.push({}, 2)
    waiting++
    assert.ok(waiting < 2_000, 'the body is held up')
  }
  while (paused) {
    await queue.next()
    waiting--
  }
  assert.ok(waiting > 0 && waiting < 1_000)
})
