/** What large messages may cost: a peer that ends none of them is bounded, and one that ends them is never stuck. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as z from 'zod'
import { withLimits } from '../../call/limits.ts'
import { call } from '../../contract/call.ts'
import { contract, contractInfo } from '../../contract/contract.ts'
import { stream } from '../../contract/stream.ts'
import { implement } from '../../server/implement.ts'
import { until } from '../../../test/support/events.ts'
import { Log, callOf, channelTo, send, trunkPair } from '../../../test/support/trunk.ts'
import {
  type RawPeer,
  frame,
  openBody,
  rawClient,
  rawServer,
  serverHello,
} from '../../../test/support/trunk-raw.ts'
import type { TrunkChannel } from './client.ts'
import { flag, frameCost, frameType } from './frames.ts'
import { Partials } from './partials.ts'
import type { ServerConnection } from './server.ts'

const Blob = z.object({ data: z.instanceof(Uint8Array) })
const N = z.object({ n: z.int32() })
const Large = contract('test.large.v1', {
  blob: call({ input: Blob, output: Blob }),
  echo: call({ input: N, output: N }),
  blobs: call({ input: stream(Blob), output: stream(Blob) }),
})
const served = implement(Large, {
  blob: (input) => input,
  echo: (input) => input,
  async *blobs(blobs) {
    yield* blobs
  },
})

// ── the rule ──

function partial(partials: Partials, withheld: number) {
  const state = { begun: partials.begin(), withheld, proceed }
  function proceed(): void {
    if (partials.take(state, state.withheld)) state.withheld = 0
  }
  partials.join(state)
  return state
}

test('up to the limit all messages go on; beyond it, the one that was begun first', () => {
  const partials = new Partials(100)
  const first = partial(partials, 60)
  const second = partial(partials, 40)
  const third = partial(partials, 1)
  for (const each of [third, first, second]) each.proceed()
  assert.deepEqual([first.withheld, second.withheld, third.withheld], [0, 40, 0])

  first.withheld = 1000
  first.proceed()
  assert.equal(first.withheld, 0)
  assert.equal(partials.granted, 1061)
})

test('when the first is over the next one is first, and what there is room for goes on', () => {
  const partials = new Partials(100)
  const [first, second, third] = [partial(partials, 100), partial(partials, 90), partial(partials, 20)]
  for (const each of [first, second, third]) each.proceed()
  assert.deepEqual([second.withheld, third.withheld], [90, 20])
  partials.leave(first, 100)
  assert.deepEqual([second.withheld, third.withheld], [0, 20])
  partials.leave(second, 90)
  assert.equal(third.withheld, 0)
  partials.leave(third, 20)
  assert.equal(partials.granted, 0)
})

test('first is who was begun first, not who was waited for first', () => {
  const partials = new Partials(10)
  const late = { begun: partials.begin(), withheld: 50, proceed: () => undefined }
  const early = partial(partials, 50)
  assert.equal(partials.take(early, 50), true)
  partials.join(late)
  assert.equal(partials.take(early, 50), false)
  assert.equal(partials.take(late, 50), true)
})

// ── peers that never send the last byte ──

const mebibyte = 1024 * 1024
const limits = { messageSize: mebibyte, connectionWindow: mebibyte, streamWindow: mebibyte / 8 }
const calls = 1000

/**
 * Sends all but the last byte of a message on every stream, as far as credit goes, until no more credit comes. Returns
 * what that cost.
 */
async function sendAlmostAll(peer: RawPeer, ids: readonly number[]): Promise<number> {
  const streams = new Map(ids.map((id) => [id, { credit: limits.streamWindow, left: mebibyte - 1 }]))
  let credit = limits.connectionWindow
  let sent = 0
  let seen = 0
  let pings = 0

  for (;;) {
    const before = sent

    for (const each of peer.frames.slice(seen)) {
      if (each.type !== frameType.credit) continue
      const granted = each.body.readUInt32BE(0)
      if (each.id === 0) credit += granted
      else streams.get(each.id)!.credit += granted
    }
    seen = peer.frames.length

    for (const [id, each] of streams) {
      const size = Math.min(credit, each.credit, each.left, 20_000)
      if (size <= 0) continue
      peer.write(frame(frameType.data, flag.message | flag.more, id, new Uint8Array(size)))
      credit -= frameCost(size)
      each.credit -= frameCost(size)
      each.left -= size
      sent += frameCost(size)
    }

    // A ping and its answer: the other side has dealt with all of it.
    pings++
    peer.write(frame(frameType.ping, 0, 0, new Uint8Array(8)))
    await until(() => peer.frames.filter(({ type }) => type === frameType.pong).length === pings, 'the pong')
    if (sent === before && peer.frames.length === seen + 1) return sent
  }
}

/** Two windows and the message that was begun first. */
const most = 2 * limits.connectionWindow + limits.messageSize

test('a client that sends all but the last byte of 1,000 messages is bounded, and others do not notice', async () => {
  await using pair = await trunkPair([served], { limits })
  const before = new Set(pair.served)
  const peer = await rawClient(pair.port)
  await peer.first(frameType.hello)
  const [connection] = [...pair.served].filter((each) => !before.has(each)) as ServerConnection[]
  const ids = Array.from({ length: calls }, (_, slot) => 0x1_0000 + slot)
  for (const id of ids) peer.write(frame(frameType.open, 0, id, openBody(0, new Uint8Array())))

  let over = false
  const others = (async () => {
    let answered = 0
    for (; !over; answered++) {
      const { output } = await send(pair.channel, callOf(Large, 'echo', { n: answered }))
      assert.deepEqual(output, { n: answered })
    }
    return answered
  })()

  const sent = await sendAlmostAll(peer, ids)
  over = true
  const buffered = connection!.connection.buffered
  assert.equal(buffered, sent)
  assert.ok(buffered <= most, `${buffered} bytes are held, and the most is ${most}`)
  assert.ok(buffered >= limits.connectionWindow, `${buffered} bytes are less than one window`)
  assert.equal(connection!.active, calls)
  assert.ok((await others) > 0)
  peer.socket.destroy()
  await peer.closed
})

test('a server that sends all but the last byte of 1,000 answers is bounded', async () => {
  let theirs: RawPeer | undefined
  using server = await rawServer((peer) => {
    theirs = peer
    peer.write(serverHello('test.large.v1', contractInfo(Large).digest, ['blob'], { streams: calls }))
  })
  const channel = (await channelTo(server.port, contractInfo(Large), limits, new Log())) as TrunkChannel
  const empty = { data: new Uint8Array() }
  const answers = Array.from({ length: calls }, () => send(channel, callOf(Large, 'blob', empty)))
  const outcomes = Promise.allSettled(answers)
  const peer = theirs as RawPeer
  const opened = (): number[] =>
    peer.frames.filter(({ type }) => type === frameType.open).map(({ id: opens }) => opens)
  await until(() => opened().length === calls, 'all calls are open')

  const sent = await sendAlmostAll(peer, opened())
  assert.equal(channel.connection.buffered, sent)
  assert.ok(sent <= most, `${sent} bytes are held, and the most is ${most}`)
  assert.ok(sent >= limits.connectionWindow)
  peer.socket.destroy()
  for (const outcome of await outcomes) assert.equal(outcome.status, 'rejected')
  assert.equal(channel.connection.partials.granted, 0)
})

test('a call that fails in the middle of its message gives back what it held, to those that wait', async () => {
  await using pair = await trunkPair([served], { limits })
  const before = new Set(pair.served)
  const peer = await rawClient(pair.port)
  await peer.first(frameType.hello)
  const [connection] = [...pair.served].filter((each) => !before.has(each)) as ServerConnection[]
  const ids = Array.from({ length: 40 }, (_, slot) => 0x1_0000 + slot)
  for (const id of ids) peer.write(frame(frameType.open, 0, id, openBody(0, new Uint8Array())))
  await sendAlmostAll(peer, ids)
  for (const id of ids) peer.write(frame(frameType.cancel, 0, id, Uint8Array.of(1, 0)))
  await until(() => peer.frames.filter(({ type }) => type === frameType.error).length === 40, 'all are over')
  assert.equal(connection!.connection.buffered, 0)
  peer.socket.destroy()
})

test('an input that ends within a message is a lie', async () => {
  await using pair = await trunkPair([served])
  const peer = await rawClient(pair.port)
  await peer.first(frameType.hello)
  peer.write(frame(frameType.open, flag.message | flag.more, 0x1_0000, openBody(0, Uint8Array.of(10))))
  peer.write(frame(frameType.data, flag.end, 0x1_0000, new Uint8Array()))
  assert.match(await peer.reason(), /stream 65536: ends within a message/)
})

// ── peers that do ──

const honest = [
  { what: 'the default limits', size: 4 * mebibyte, limits: {} },
  { what: 'windows of 64 KiB', size: 200_000, limits: { connectionWindow: 65_536, streamWindow: 65_536 } },
  { what: 'windows of a few bytes', size: 1_500, limits: { connectionWindow: 40, streamWindow: 400 } },
  { what: 'streams wider than the connection', size: 90_000, limits: { connectionWindow: 9_000 } },
]

for (const { what, size, limits: given } of honest) {
  test(`50 large calls at once finish, there and back, with ${what}`, async () => {
    await using pair = await trunkPair([served], { limits: given, clientLimits: given })
    const channel = pair.channel as TrunkChannel
    const [connection] = [...pair.served] as ServerConnection[]
    const { connectionWindow, messageSize } = withLimits(given)
    let held = 0
    const sample = (): void => {
      held = Math.max(held, channel.connection.buffered, connection!.connection.buffered)
    }

    const answers = Array.from({ length: 50 }, async (_, index) => {
      const data = new Uint8Array(size).fill(index)
      const { output } = await send(channel, callOf(Large, 'blob', { data }))
      sample()
      const echoed = (output as { data: Uint8Array }).data
      assert.equal(Buffer.compare(echoed, data), 0)
    })
    await Promise.all(answers)

    assert.ok(held <= 2 * connectionWindow + messageSize, `${held} bytes were held`)
    assert.equal(channel.connection.buffered, 0)
    assert.equal(connection!.connection.buffered, 0)
  })
}

test('streams of large messages and large unary calls share a connection to their end', async () => {
  const given = { connectionWindow: 20_000, streamWindow: 10_000 }
  await using pair = await trunkPair([served], { limits: given, clientLimits: given })

  const streams = Array.from({ length: 10 }, async (_, index) => {
    const blobs = Array.from({ length: 5 }, () => ({ data: new Uint8Array(45_000).fill(index) }))
    const { output } = await send(pair.channel, callOf(Large, 'blobs', blobs))
    const sizes: number[] = []
    for await (const { data } of output as AsyncIterable<{ data: Uint8Array }>) sizes.push(data.length)
    return sizes
  })
  const unary = Array.from({ length: 20 }, async () => {
    const { output } = await send(pair.channel, callOf(Large, 'blob', { data: new Uint8Array(60_000) }))
    return (output as { data: Uint8Array }).data.length
  })

  assert.deepEqual(
    await Promise.all(unary),
    Array.from({ length: 20 }, () => 60_000),
  )
  for (const sizes of await Promise.all(streams))
    assert.deepEqual(sizes, [45_000, 45_000, 45_000, 45_000, 45_000])
})
