/** The parts of trunk that know no socket: credit, slots, budgets, messages coming in and going out. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { CallError } from '../../call/error.ts'
import { runs } from '../../../test/support/fuzz.ts'
import { Assembly } from './assembly.ts'
import { Budget } from './budget.ts'
import { Incoming } from './incoming.ts'
import { Outgoing, iteratorOf, pump } from './outgoing.ts'
import { Partials } from './partials.ts'
import { ProtocolError } from './protocol-error.ts'
import { Slots } from './slots.ts'
import { frameCost, messageOverhead } from './frames.ts'
import { ReceiveWindow } from './window.ts'

// ── credit ──

test('credit is granted in halves of the window, and never more than was used', () => {
  const window = new ReceiveWindow(100)
  assert.equal(window.receive(60), true)
  assert.equal(window.release(9), 0)
  assert.equal(window.release(83), frameCost(60))
  assert.equal(window.receive(100), true)
  assert.equal(window.receive(1), false)
})

test('a window of any size takes a message of its size and no other, not even an empty one', () => {
  for (const size of [1, 31, 32, 33, 65_536]) {
    const window = new ReceiveWindow(size)
    assert.equal(window.receive(size), true)
    assert.equal(window.held, frameCost(size))
    assert.equal(window.release(frameCost(size)), frameCost(size))
    assert.equal(window.receive(size), true)
    assert.equal(window.receive(0), false)
  }
})

test('a window ends at as many empty messages as their overhead fills', () => {
  const window = new ReceiveWindow(10 * messageOverhead)
  for (let message = 0; message < 10; message++) assert.equal(window.receive(0), true)
  assert.equal(window.receive(0), false)
})

test('a sender that keeps to its credit is never refused, and one that does not always is', () => {
  const property = fc.property(
    fc.integer({ min: 1, max: 1000 }),
    fc.array(fc.nat(400), { maxLength: 60 }),
    (size, wishes) => {
      const window = new ReceiveWindow(size)
      let credit = size
      let held = 0
      for (const wish of wishes) {
        if (credit > 0) {
          const sent = Math.min(wish, credit)
          assert.equal(window.receive(sent), true)
          credit -= frameCost(sent)
          held += frameCost(sent)
        }
        const dealtWith = Math.floor(held / 2)
        held -= dealtWith
        credit += window.release(dealtWith)
        assert.ok(credit + held <= size)
      }
      // Whatever happened, all of it being dealt with leaves at least half a window.
      credit += window.release(held)
      assert.ok(credit * 2 >= size)
      assert.equal(window.receive(size + 1), false)
    },
  )
  fc.assert(property, { numRuns: runs(200) })
})

test('a budget is used up, and fills with time', () => {
  const budget = new Budget(10, 1000, 0)
  assert.equal(budget.take(10, 0), true)
  assert.equal(budget.take(1, 0), false)
  assert.equal(budget.take(2, 2), true)
  assert.equal(budget.take(1, 2), false)
  assert.equal(budget.take(11, 1_000_000), false)
  assert.equal(budget.take(10, 1_000_000), true)
})

// ── slots ──

test('ids of a client are accepted by a server whatever the order in which calls end', () => {
  const property = fc.property(
    fc.integer({ min: 1, max: 8 }),
    fc.array(fc.nat(7), { maxLength: 200 }),
    (limit, ends) => {
      const client = new Slots<{ readonly id: number }>(limit)
      const server = new Slots<{ readonly id: number }>(limit)
      for (const end of ends) {
        const id = client.take()
        if (id === undefined) {
          assert.equal(client.size, limit)
        } else {
          server.check(id)
          client.put({ id })
          server.put({ id })
        }
        const open = client.all()
        const over = open[end % 8]
        if (over === undefined) continue
        const theirs = server.get(over.id)
        assert.equal(theirs?.id, over.id)
        server.remove(theirs)
        client.free(over)
        assert.equal(server.get(over.id), undefined)
      }
    },
  )
  fc.assert(property, { numRuns: runs(100) })
})

test('an id that was not written is the slot’s next one again', () => {
  const slots = new Slots<{ readonly id: number }>(4)
  const id = slots.take() as number
  const stream = { id }
  slots.put(stream)
  slots.undo(stream)
  assert.equal(slots.take(), id)
})

test('generations come round without ever being zero', () => {
  const client = new Slots<{ readonly id: number }>(1)
  const server = new Slots<{ readonly id: number }>(1)
  for (let round = 0; round < 140_000; round++) {
    const stream = { id: client.take() as number }
    assert.ok(stream.id >>> 16 > 0)
    server.check(stream.id)
    client.put(stream)
    server.put(stream)
    server.remove(stream)
    client.free(stream)
  }
})

test('ids that no honest client sends are refused', () => {
  const slots = new Slots<{ readonly id: number }>(2)
  for (const id of [0x1_0002, 0x2_0000, 0, 0xffff_0000]) assert.throws(() => slots.check(id), ProtocolError)
  assert.throws(() => slots.get(0x1_0000), ProtocolError)
  slots.put({ id: 0x1_0000 })
  assert.throws(() => slots.check(0x2_0000), ProtocolError)
  assert.throws(() => slots.get(0x2_0000), ProtocolError)
})

// ── incoming ──

function incoming(window = 100, messageSize = 1000, partials = new Partials(1 << 20)) {
  const released = { stream: 0, connection: 0 }
  const state = { released, abandoned: 0 }
  const stream = new Incoming(
    {
      decode: (bytes, start, end) => bytes.toString('latin1', start, end),
      released(ofStream, ofConnection) {
        released.stream += ofStream
        released.connection += ofConnection
      },
      abandoned() {
        state.abandoned++
      },
    },
    window,
    messageSize,
    partials,
  )
  const receive = (text: string, more = false): ReturnType<Incoming['receive']> =>
    stream.receive(Buffer.from(text, 'latin1'), 0, text.length, more)
  return { stream, receive, state }
}

test('messages that nobody asks for use up the window and are not released', async () => {
  const { stream, receive, state } = incoming()
  assert.equal(receive('a'.repeat(20)), undefined)
  assert.equal(receive('b'.repeat(48)), undefined)
  assert.deepEqual(state.released, { stream: 0, connection: 0 })
  assert.equal(receive(''), 'overrun')
  assert.equal((await stream.next()).value, 'a'.repeat(20))
  assert.deepEqual(state.released, { stream: frameCost(20), connection: frameCost(20) })
})

test('parts of a message are released as they come only while it is waited for', async () => {
  const { stream, receive, state } = incoming()
  receive('a'.repeat(80), true)
  assert.equal(state.released.connection, 0)
  const next = stream.next()
  assert.equal(state.released.connection, frameCost(80))
  for (let part = 0; part < 5; part++) assert.equal(receive('b'.repeat(80), true), undefined)
  assert.equal(receive('c'), undefined)
  assert.equal((await next).value, `${'a'.repeat(80)}${'b'.repeat(400)}c`)
  assert.equal(state.released.connection, 6 * frameCost(80) + frameCost(1))
})

test('a message above the limit is told from a lie', () => {
  const { receive } = incoming(5000, 1000)
  assert.equal(receive('a'.repeat(900), true), undefined)
  assert.equal(receive('a'.repeat(101)), 'too large')
})

test('an error comes after the messages before it; a call given up drops them', async () => {
  const error = new CallError('aborted', 'enough')
  const ordered = incoming()
  ordered.receive('a')
  ordered.stream.end(error)
  assert.equal((await ordered.stream.next()).value, 'a')
  await assert.rejects(ordered.stream.next(), error)

  const dropped = incoming()
  dropped.receive('a')
  dropped.stream.fail(error)
  await assert.rejects(dropped.stream.next(), error)
  assert.equal(dropped.state.released.connection, frameCost(1))
})

test('a reader that stops gives back what it had not read, and says so once', async () => {
  const { stream, receive, state } = incoming()
  receive('a'.repeat(50))
  await stream.return()
  await stream.return()
  assert.deepEqual(state, { released: { stream: 0, connection: frameCost(50) }, abandoned: 1 })
  assert.equal(receive('b'.repeat(18)), undefined)
  assert.equal(state.released.connection, frameCost(50) + frameCost(18))
  assert.deepEqual(await stream.next(), { done: true, value: undefined })
})

test('whatever the fragments and whenever the reader asks, every message arrives once and all credit comes back', async () => {
  const property = fc.asyncProperty(
    fc.array(fc.tuple(fc.nat(300), fc.integer({ min: 1, max: 60 }), fc.boolean()), { maxLength: 30 }),
    async (messages) => {
      const { stream, receive, state } = incoming(64, 1000)
      let sent = 0
      const credit = (): number => 64 - sent + state.released.stream
      const got: unknown[] = []
      const pull = async (): Promise<void> => {
        got.push((await stream.next()).value)
      }
      const pulls: Promise<void>[] = []
      for (const [index, [size, part, late]] of messages.entries()) {
        if (!late) pulls.push(pull())
        const text = String.fromCharCode(97 + (index % 26)).repeat(size)
        for (let at = 0; at < size || at === 0;) {
          const length = Math.min(part, size - at, credit())
          if (credit() <= 0) {
            assert.ok(pulls.length < messages.length, 'a reader that waits leaves the sender credit')
            pulls.push(pull())
            continue
          }
          assert.equal(receive(text.slice(at, at + length), at + length < size), undefined)
          at += length
          sent += frameCost(length)
          if (size === 0) break
        }
      }
      while (pulls.length < messages.length) pulls.push(pull())
      await Promise.all(pulls)
      assert.deepEqual(
        got,
        messages.map(([size], index) => String.fromCharCode(97 + (index % 26)).repeat(size)),
      )
      assert.equal(state.released.connection, sent)
    },
  )
  await fc.assert(property, { numRuns: runs(100) })
})

test('a message comes out of its parts as it was, however large they are', () => {
  const part = fc.oneof(
    fc.nat(300),
    fc.integer({ min: 15_000, max: 18_000 }),
    fc.integer({ max: 70_000, min: 0 }),
  )
  const property = fc.property(fc.array(part, { minLength: 1, maxLength: 40 }), (sizes) => {
    const assembly = new Assembly()
    const parts = sizes.map((size, index) => Buffer.alloc(size, index + 1))
    for (const each of parts) {
      // The chunk a part came in is used again: only large parts may stay where they are.
      const chunk = Buffer.concat([Buffer.alloc(3), each, Buffer.alloc(3)])
      assembly.add(chunk, 3, 3 + each.length)
      if (each.length < 1000) chunk.fill(0)
    }
    const whole = Buffer.concat(parts)
    assert.equal(assembly.size, whole.length)
    assert.equal(assembly.whole().equals(whole), true)
  })
  fc.assert(property, { numRuns: runs(100) })
})

// ── outgoing ──

function outlet(writable = true) {
  const state = { writable, awaiting: [] as Outgoing[], queued: [] as Outgoing[], dropped: 0 }
  return {
    state,
    get writable() {
      return state.writable
    },
    await: (outgoing: Outgoing) => void state.awaiting.push(outgoing),
    enqueue: (outgoing: Outgoing) => void state.queued.push(outgoing),
    dropped: (_: Outgoing, bytes: number) => void (state.dropped += bytes),
  }
}

test('an iterable is pulled only while there is credit, and goes on when there is more', async () => {
  const outgoing = new Outgoing(1, outlet(), 2)
  const sent: unknown[] = []
  let pulled = 0
  function* numbers(): Generator<number> {
    for (; pulled < 5; pulled++) yield pulled
  }
  const done = pump(iteratorOf(numbers()), outgoing, (value) => {
    sent.push(value)
    outgoing.credit--
  })
  assert.deepEqual(sent, [0, 1])
  assert.equal(pulled, 1)
  outgoing.grant(10)
  assert.equal(await done, true)
  assert.deepEqual(sent, [0, 1, 2, 3, 4])
})

test('a pump yields to the event loop after some hundred messages, even of a synchronous iterable', async () => {
  const outgoing = new Outgoing(1, outlet(), 1e9)
  let sent = 0
  const done = pump(iteratorOf(Array.from({ length: 2000 }, () => 1)), outgoing, () => sent++)
  const atTurns: number[] = []
  while (sent < 2000) {
    atTurns.push(sent)
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.equal(await done, true)
  assert.deepEqual(atTurns, [512, 1024, 1536])
})

test('a pump whose call is over stops, and what waited is no longer counted', async () => {
  const link = outlet(false)
  const outgoing = new Outgoing(1, link, 10)
  const done = pump(iteratorOf([1]), outgoing, () => assert.fail('nothing may be sent'))
  outgoing.pending = {
    bytes: Buffer.alloc(10),
    at: 4,
    last: true,
    trailers: undefined,
    written: () => undefined,
  }
  outgoing.close()
  assert.equal(await done, false)
  assert.equal(link.state.dropped, 6)
})

test('what cannot be iterated is refused with what it is', () => {
  for (const [value, what] of [
    [undefined, 'undefined'],
    [null, 'null'],
    ['text', 'string'],
    [{}, 'object'],
  ] as const) {
    assert.throws(() => iteratorOf(value), { name: 'TypeError', message: new RegExp(`got ${what}`) })
  }
})
