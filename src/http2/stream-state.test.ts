import assert from 'node:assert/strict'
import { test } from 'node:test'
import { frameType } from './frames.ts'
import { ClosedStreams, closedBy, verdictOnClosed } from './stream-state.ts'

test('it is known how the last thousand streams were closed', () => {
  const streams = new ClosedStreams()
  streams.opened(1)
  streams.closed(1, closedBy.ends)
  streams.opened(3)
  streams.closed(3, closedBy.localReset)
  streams.opened(5)
  assert.equal(streams.how(1), closedBy.ends)
  assert.equal(streams.how(3), closedBy.localReset)
  assert.equal(streams.how(5), closedBy.unknown)
  for (let id = 7; id < 4001; id += 2) streams.opened(id)
  assert.equal(streams.how(1), closedBy.unknown)
  streams.closed(5, closedBy.ends)
  assert.equal(streams.how(5), closedBy.unknown)
  assert.equal(streams.how(5 + 2048), closedBy.unknown)
})

test('numbers that were passed over are known as never used, however many', () => {
  const streams = new ClosedStreams()
  streams.opened(5)
  assert.equal(streams.how(1), closedBy.skipped)
  assert.equal(streams.how(3), closedBy.skipped)
  streams.opened(2_000_000_001)
  assert.equal(streams.how(1_999_999_999), closedBy.skipped)
  assert.equal(streams.how(7), closedBy.unknown)
})

test('a frame for a closed stream means what the way it was closed says (RFC 9113 section 5.1)', () => {
  const { data, headers, rstStream, windowUpdate } = frameType
  for (const type of [data, headers]) {
    assert.equal(verdictOnClosed(type, closedBy.ends), 'connection-closed')
    assert.equal(verdictOnClosed(type, closedBy.localReset), 'ignore')
    assert.equal(verdictOnClosed(type, closedBy.remoteReset), 'stream-closed')
    assert.equal(verdictOnClosed(type, closedBy.unknown), 'stream-closed')
  }
  for (const type of [rstStream, windowUpdate]) {
    for (const how of [closedBy.ends, closedBy.localReset, closedBy.remoteReset, closedBy.unknown]) {
      assert.equal(verdictOnClosed(type, how), 'ignore')
    }
  }
  assert.equal(verdictOnClosed(headers, closedBy.skipped), 'protocol-error')
})
