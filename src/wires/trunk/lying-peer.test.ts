/** A peer that does not keep to the protocol is disconnected with a reason, and nobody else notices. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as z from 'zod'
import { call } from '../../contract/call.ts'
import { contract, contractInfo } from '../../contract/contract.ts'
import { stream } from '../../contract/stream.ts'
import { CallError } from '../../call/error.ts'
import { implement } from '../../server/implement.ts'
import { Log, channelTo, callOf, send, trunkPair } from '../../../test/support/trunk.ts'
import {
  type RawPeer,
  clientHello,
  credit,
  frame,
  goawayBody,
  openBody,
  rawClient,
  rawServer,
  serverHello,
} from '../../../test/support/trunk-raw.ts'
import type { TrunkChannel } from './client.ts'
import type { ServerConnection } from './server.ts'
import { writeMetadata, writeText, writeVarint } from './fields.ts'
import { Metadata } from '../../call/metadata.ts'
import { flag, frameType, magic, messageOverhead } from './frames.ts'

const N = z.object({ n: z.int32() })
const Lies = contract('test.lies.v1', {
  echo: call({ input: N, output: N }),
  sum: call({ input: stream(N), output: N }),
  count: call({ input: N, output: stream(N) }),
})

const served = implement(Lies, {
  echo: (input) => input,
  sum: () => new Promise<never>(() => undefined),
  async *count({ n }) {
    for (let each = 0; each < n; each++) yield { n: each }
  },
})

const echo = 0
const sum = 1
/** `{ n: 7 }` in protobuf. */
const seven = Uint8Array.of(8, 7)
const whole = flag.end | flag.message
/** Stream ids: generation and slot. */
const id = (generation: number, slot: number): number => generation * 0x1_0000 + slot

interface Lie {
  readonly what: string
  readonly reason: RegExp
  readonly tell: (peer: RawPeer) => void
  readonly hello?: Buffer
  readonly limits?: Parameters<typeof trunkPair>[1]
}

const lies: readonly Lie[] = [
  {
    what: 'a frame longer than agreed',
    reason: /a frame of 16777215 bytes is longer than the 65536 that were agreed/,
    tell: (peer) => peer.write(Uint8Array.of(0xff, 0xff, 0xff, frameType.open, 0, 0, 1, 0, 0)),
  },
  {
    what: 'an unknown frame type',
    reason: /unknown frame type 99/,
    tell: (peer) => peer.write(frame(99, 0, 0, seven)),
  },
  {
    what: 'a flag that is not defined, such as the one reserved for compression',
    reason: /flags 0x85 of frame type 2 are not defined/,
    tell: (peer) =>
      peer.write(frame(frameType.open, whole | flag.compressed, id(1, 0), openBody(echo, seven))),
  },
  {
    what: 'a frame that only servers send',
    reason: /frame type 4, which only servers send/,
    tell: (peer) => peer.write(frame(frameType.error, 0, id(1, 0), seven)),
  },
  {
    what: 'a call on stream 0',
    reason: /frame type 2 on stream 0/,
    tell: (peer) => peer.write(frame(frameType.open, whole, 0, openBody(echo, seven))),
  },
  {
    what: 'a stream that is opened twice',
    reason: /stream 65536 is opened while its slot is in use/,
    tell: (peer) => {
      const open = frame(frameType.open, 0, id(1, 0), openBody(sum, new Uint8Array()))
      peer.write(open, open)
    },
  },
  {
    what: 'a stream id that was used before',
    reason: /opened with generation 1 of its slot, and 2 is next/,
    tell: (peer) => {
      const open = frame(frameType.open, whole, id(1, 0), openBody(echo, seven))
      peer.write(open)
      void peer.first(frameType.data).then(() => peer.write(open))
    },
  },
  {
    what: 'more streams than there are slots',
    reason: /is opened in slot 4, and there are 4/,
    limits: { limits: { streams: 4 } },
    tell: (peer) => peer.write(frame(frameType.open, 0, id(1, 4), openBody(sum, new Uint8Array()))),
  },
  {
    what: 'a frame of a stream that was never opened',
    reason: /a frame of stream 65545, which is not open/,
    tell: (peer) => peer.write(frame(frameType.data, flag.message, id(1, 9), seven)),
  },
  {
    what: 'data after the end',
    reason: /DATA after its end/,
    tell: (peer) => {
      peer.write(frame(frameType.open, 0, id(1, 0), openBody(sum, new Uint8Array())))
      peer.write(frame(frameType.data, whole, id(1, 0), seven))
      peer.write(frame(frameType.data, flag.message, id(1, 0), seven))
    },
  },
  {
    what: 'two messages where one was declared',
    reason: /a second message, where one was declared/,
    tell: (peer) => {
      peer.write(frame(frameType.open, 0, id(1, 0), openBody(echo, new Uint8Array())))
      peer.write(frame(frameType.data, flag.message, id(1, 0), seven))
      peer.write(frame(frameType.data, whole, id(1, 0), seven))
    },
  },
  {
    what: 'more bytes than the credit of a stream',
    reason: /stream 65536: more bytes than its credit/,
    limits: { limits: { streamWindow: 1000 } },
    tell: (peer) => {
      peer.write(frame(frameType.open, 0, id(1, 0), openBody(sum, new Uint8Array())))
      peer.write(frame(frameType.data, flag.message | flag.more, id(1, 0), new Uint8Array(1001)))
    },
  },
  {
    what: 'more bytes than the credit of the connection',
    reason: /more bytes than the credit of the connection/,
    limits: { limits: { connectionWindow: 1000, streamWindow: 600 } },
    tell: (peer) => {
      for (const slot of [0, 1]) {
        peer.write(frame(frameType.open, 0, id(1, slot), openBody(sum, new Uint8Array())))
        peer.write(frame(frameType.data, flag.message | flag.more, id(1, slot), new Uint8Array(501)))
      }
    },
  },
  {
    what: 'credit over nothing',
    reason: /a CREDIT over 0 bytes/,
    tell: (peer) => peer.write(credit(0, 0)),
  },
  {
    what: 'credit without end',
    reason: /more credit than 2\^31 - 1/,
    tell: (peer) => peer.write(credit(0, 0x7fff_ffff), credit(0, 0x7fff_ffff)),
  },
  {
    what: 'half a frame, then silence',
    reason: /a frame was begun and not ended within 50 ms/,
    limits: { limits: { headerTimeout: 50 } },
    tell: (peer) => peer.write(frame(frameType.open, whole, id(1, 0), openBody(echo, seven)).subarray(0, 7)),
  },
  {
    what: 'a head longer than agreed',
    reason: /metadata of more than the 200 bytes that were agreed/,
    limits: { limits: { headerSize: 200 } },
    tell: (peer) => {
      const metadata = new Metadata({ 'x-a': 'a'.repeat(100), 'x-b': 'b'.repeat(100) })
      peer.write(
        frame(frameType.open, whole | flag.metadata, id(1, 0), (writer) => {
          writeVarint(writer, echo)
          writeVarint(writer, 0)
          writeMetadata(writer, metadata)
        }),
      )
    },
  },
  {
    what: 'text that is not UTF-8',
    reason: /a text is not UTF-8/,
    tell: (peer) => peer.write(frame(frameType.cancel, 0, id(1, 0), Uint8Array.of(1, 2, 0xc3, 0x28))),
  },
  {
    what: 'a frame that ends within a field',
    reason: /the body of a frame ends too early/,
    tell: (peer) => peer.write(frame(frameType.open, whole, id(1, 0), Uint8Array.of(0x80))),
  },
  {
    what: 'data that carries nothing',
    reason: /DATA that carries nothing/,
    tell: (peer) => {
      peer.write(frame(frameType.open, 0, id(1, 0), openBody(sum, new Uint8Array())))
      peer.write(frame(frameType.data, 0, id(1, 0), new Uint8Array()))
    },
  },
  {
    what: 'no HELLO',
    reason: /frame type 2 before HELLO/,
    hello: Buffer.alloc(0),
    tell: (peer) => peer.write(frame(frameType.open, whole, id(1, 0), openBody(echo, seven))),
  },
  {
    what: 'a second HELLO',
    reason: /a second HELLO/,
    tell: (peer) => peer.write(clientHello()),
  },
  {
    what: 'a HELLO with a limit of zero',
    reason: /setting streamWindow is 0/,
    hello: clientHello({ streamWindow: 0 }),
    tell: () => undefined,
  },
  {
    what: 'a version that nobody speaks',
    reason: /this server speaks version 1 of trunk, and the client offers 7 to 9/,
    hello: frame(frameType.hello, 0, 0, Uint8Array.of(7, 9, 0, 0)),
    tell: () => undefined,
  },
  {
    what: 'a contract that is not served',
    reason: /this server serves test\.lies\.v1, and not test\.other\.v1/,
    hello: clientHello({}, ['test.other.v1']),
    tell: () => undefined,
  },
  {
    what: 'silence instead of a handshake',
    reason: /no handshake within 50 ms/,
    limits: { limits: { headerTimeout: 50 } },
    hello: Buffer.alloc(0),
    tell: () => undefined,
  },
  {
    what: 'a flood of pings',
    reason: /too many pings/,
    limits: { limits: { streams: 4 } },
    tell: (peer) => {
      const ping = frame(frameType.ping, 0, 0, new Uint8Array(8))
      peer.write(...Array.from({ length: 200 }, () => ping))
    },
  },
  {
    what: 'a flood of calls that are cancelled at once (rapid reset)',
    reason: /too many calls that were cancelled or refused/,
    limits: { limits: { streams: 4 } },
    tell: (peer) => {
      for (let round = 1; round <= 1200; round++) {
        const stream = id(round, 0)
        peer.write(
          frame(frameType.open, 0, stream, openBody(sum, new Uint8Array())),
          frame(frameType.cancel, 0, stream, Uint8Array.of(1, 0)),
        )
      }
    },
  },
  {
    what: 'a flood of calls of methods that do not exist',
    reason: /too many calls that were cancelled or refused/,
    limits: { limits: { streams: 4 } },
    tell: (peer) => {
      for (let round = 1; round <= 1200; round++) {
        peer.write(frame(frameType.open, whole, id(round, 0), openBody(99, seven)))
      }
    },
  },
]

for (const { what, reason, tell, hello, limits } of lies) {
  test(`a client that sends ${what} is disconnected and told why`, async () => {
    await using pair = await trunkPair([served], limits)
    const peer = await rawClient(pair.port, hello)
    if (hello === undefined) await peer.first(frameType.hello)

    let over = false
    const others = (async () => {
      let calls = 0
      do {
        const { output } = await send(pair.channel, callOf(Lies, 'echo', { n: calls }))
        assert.deepEqual(output, { n: calls++ })
      } while (!over)
    })()

    tell(peer)
    assert.match(await peer.reason(), reason)
    await peer.closed
    over = true
    await others
    assert.equal(pair.channel.state, 'ready')
    const greeted = peer.frames.some(({ type }) => type === frameType.hello)
    assert.equal(pair.log.lines.length, 1)
    const [logged] = pair.log.lines
    assert.equal(logged?.level, greeted ? 'warn' : 'info')
    assert.equal(
      logged.message,
      greeted ? 'trunk: a client was disconnected' : 'trunk: a connection was refused',
    )
    assert.equal(logged.fields['peer'], 'loopback')
    assert.match(String(logged.fields['reason']), reason)
  })
}

for (const { what, bytes } of [
  { what: 'HTTP', bytes: Buffer.from('GET / HTTP/1.1\r\nhost: a\r\n\r\n') },
  { what: 'noise', bytes: Buffer.alloc(200_000, 0xa5) },
  { what: 'half of the magic and noise', bytes: Buffer.from('f57472ffffffff', 'hex') },
  { what: 'the magic and noise', bytes: Buffer.concat([magic, Buffer.alloc(200_000, 0xa5)]) },
  {
    what: 'a HELLO that is none',
    bytes: Buffer.concat([magic, frame(frameType.hello, 0, 0, Uint8Array.of(1, 1, 200))]),
  },
]) {
  test(`${what} instead of a handshake is one line of the log, and no warning`, async () => {
    await using pair = await trunkPair([served])
    const socket = await pair.dial()
    const closed = new Promise((resolve) => {
      socket.once('close', resolve)
    })
    socket.on('error', () => undefined).resume()
    socket.write(bytes)
    await closed
    assert.deepEqual(
      pair.log.lines.map(({ level, fields, message }) => [level, fields['peer'], message]),
      [['info', 'loopback', 'trunk: a connection was refused']],
    )
  })
}

test('an unknown method is an error of that call only', async () => {
  await using pair = await trunkPair([served])
  const peer = await rawClient(pair.port)
  await peer.first(frameType.hello)
  peer.write(frame(frameType.open, whole, id(1, 0), openBody(99, seven)))
  const { body } = await peer.first(frameType.error, id(1, 0))
  assert.equal(body[0], 12)
  peer.write(frame(frameType.open, whole, id(2, 0), openBody(echo, seven)))
  assert.deepEqual(new Uint8Array((await peer.first(frameType.data, id(2, 0))).body), seven)
  peer.socket.destroy()
})

test('bytes that come after a call has ended are no lie, and do not use up the connection', async () => {
  await using pair = await trunkPair([implement(Lies, { ...handlers(), sum: async () => ({ n: 1 }) })], {
    limits: { connectionWindow: 4000 },
  })
  const peer = await rawClient(pair.port)
  await peer.first(frameType.hello)
  peer.write(frame(frameType.open, 0, id(1, 0), openBody(sum, new Uint8Array())))
  await peer.first(frameType.data, id(1, 0))
  for (let round = 0; round < 4; round++) {
    peer.write(frame(frameType.data, flag.message | flag.more, id(1, 0), new Uint8Array(900)))
  }
  await peer.first(frameType.credit, 0)
  peer.write(frame(frameType.open, whole, id(2, 0), openBody(echo, seven)))
  await peer.first(frameType.data, id(2, 0))
  peer.socket.destroy()
})

function handlers() {
  return {
    echo: (input: { n: number }) => input,
    sum: () => new Promise<never>(() => undefined),
    async *count({ n }: { n: number }) {
      for (let each = 0; each < n; each++) yield { n: each }
    },
  }
}

// ── servers that lie ──

const digest = contractInfo(Lies).digest
const hello = (settings = {}): Buffer =>
  serverHello('test.lies.v1', digest, ['echo', 'sum', 'count'], settings, [0, 1, 2])

const serverLies: readonly {
  readonly what: string
  readonly reason: RegExp
  readonly tell: (peer: RawPeer, call: number) => void
}[] = [
  {
    what: 'an unknown frame',
    reason: /unknown frame type 77/,
    tell: (peer) => peer.write(frame(77, 0, 0, seven)),
  },
  {
    what: 'an answer to a call that nobody made',
    reason: /a frame of stream 65599, which is not open/,
    tell: (peer) => peer.write(frame(frameType.data, whole, id(1, 63), seven)),
  },
  {
    what: 'two answers',
    reason: /a frame of stream 65536 after its end/,
    tell: (peer, call) =>
      peer.write(frame(frameType.data, whole, call, seven), frame(frameType.data, whole, call, seven)),
  },
  {
    what: 'a call of its own',
    reason: /frame type 2, which only clients send/,
    tell: (peer) => peer.write(frame(frameType.open, whole, id(1, 0), openBody(echo, seven))),
  },
  {
    what: 'a description that nobody asked for',
    reason: /a description that nobody asked for/,
    tell: (peer) => peer.write(frame(frameType.description, 0, 0, seven)),
  },
  {
    what: 'a flood of pings',
    reason: /too many pings/,
    tell: (peer) => {
      const ping = frame(frameType.ping, 0, 0, new Uint8Array(8))
      peer.write(...Array.from({ length: 2000 }, () => ping))
    },
  },
]

for (const { what, reason, tell } of serverLies) {
  test(`a server that sends ${what} is disconnected, and its calls are unavailable`, async () => {
    using server = await rawServer((peer) => {
      peer.write(hello())
      void peer.first(frameType.open).then(({ id: stream }) => tell(peer, stream))
    })
    const log = new Log()
    const channel = await channelTo(server.port, contractInfo(Lies), undefined, log)
    const ended = new Promise<CallError | undefined>((resolve) => {
      channel.onState(resolve)
    })
    const answer = send(channel, callOf(Lies, 'echo', { n: 7 })).catch((error: unknown) => error)
    const why = await ended
    assert.match(why?.message ?? '', reason)
    assert.equal(channel.state, 'closed')
    const outcome = await answer
    if (outcome instanceof CallError) assert.equal(outcome.code, 'unavailable')
    assert.match(String(log.lines[0]?.fields['reason']), reason)
    assert.deepEqual(
      log.lines.map(({ level }) => level),
      ['warn'],
    )
  })
}

// ── messages without bytes ──

const streamWindow = 100 * messageOverhead
const empties = (stream: number, count: number): Buffer[] =>
  Array.from({ length: count }, () => frame(frameType.data, flag.message, stream, new Uint8Array()))

test('a client may send as many empty messages as a window has room for, and no more, to who does not read', async () => {
  await using pair = await trunkPair([served], { limits: { streamWindow } })
  const before = new Set(pair.served)
  const peer = await rawClient(pair.port)
  await peer.first(frameType.hello)
  const [connection] = [...pair.served].filter((each) => !before.has(each)) as ServerConnection[]
  peer.write(frame(frameType.open, 0, id(1, 0), openBody(sum, new Uint8Array())))
  peer.write(...empties(id(1, 0), 100), frame(frameType.ping, 0, 0, new Uint8Array(8)))
  await peer.first(frameType.pong)
  assert.equal(connection!.connection.buffered, streamWindow)
  assert.equal(peer.frames.filter(({ type }) => type === frameType.credit).length, 0)

  peer.write(...empties(id(1, 0), 1))
  assert.match(await peer.reason(), /stream 65536: more bytes than its credit/)
  await peer.closed
})

test('a server may send as many empty messages as a window has room for, and no more, to who does not read', async () => {
  let theirs: RawPeer | undefined
  using server = await rawServer((peer) => {
    theirs = peer
    peer.write(hello())
  })
  const channel = await channelTo(server.port, contractInfo(Lies), { streamWindow }, new Log())
  const ended = new Promise<CallError | undefined>((resolve) => {
    channel.onState(resolve)
  })
  const peer = theirs as RawPeer
  const answer = send(channel, callOf(Lies, 'count', { n: 7 }))
  const { id: stream } = await peer.first(frameType.open)
  peer.write(...empties(stream, 100), frame(frameType.ping, 0, 0, new Uint8Array(8)))
  await peer.first(frameType.pong)
  const { output } = await answer
  assert.equal((channel as TrunkChannel).connection.buffered, streamWindow)

  peer.write(...empties(stream, 1))
  assert.match((await ended)?.message ?? '', /more bytes than its credit/)
  let read = 0
  await assert.rejects(
    async () => {
      for await (const { n } of output as AsyncIterable<{ n: number }>) read += n + 1
    },
    { code: 'unavailable' },
  )
  assert.equal(read, 100)
})

test('the connection counts empty messages too, those of unary calls as well, and gives back what they cost', async () => {
  await using pair = await trunkPair([served], { limits: { connectionWindow: streamWindow } })
  const peer = await rawClient(pair.port)
  await peer.first(frameType.hello)
  for (let generation = 1; generation <= 100; generation++) {
    peer.write(frame(frameType.open, whole, id(generation, 0), openBody(echo, new Uint8Array())))
    await peer.first(frameType.data, id(generation, 0))
  }
  const granted = peer.frames
    .filter(({ type, id: stream }) => type === frameType.credit && stream === 0)
    .reduce((total, { body }) => total + body.readUInt32BE(0), 0)
  assert.equal(granted, streamWindow)
  peer.socket.destroy()
})

test('a server that answers no handshake is given up after limits.headerTimeout', async () => {
  using server = await rawServer(() => undefined)
  await assert.rejects(channelTo(server.port, contractInfo(Lies), { headerTimeout: 40 }, new Log()), {
    code: 'unavailable',
    message: /no handshake within 40 ms/,
    processed: 'no',
  })
})

test('a server that refuses is quoted', async () => {
  using server = await rawServer((peer) => {
    peer.write(frame(frameType.goaway, flag.end, 0, goawayBody(2, 0, 'only version 9 here')))
  })
  await assert.rejects(channelTo(server.port, contractInfo(Lies), undefined, new Log()), {
    code: 'failed_precondition',
    message: /only version 9 here/,
  })
})

test('what is no trunk server is told from one', async () => {
  using server = await rawServer((peer) => {
    peer.write(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'))
  })
  await assert.rejects(channelTo(server.port, contractInfo(Lies), undefined, new Log()), {
    code: 'unavailable',
    message: /unknown frame type/,
  })
})

test('a cancelled call whose text is long is still cancelled', async () => {
  await using pair = await trunkPair([served])
  const peer = await rawClient(pair.port)
  await peer.first(frameType.hello)
  peer.write(frame(frameType.open, 0, id(1, 0), openBody(sum, new Uint8Array())))
  peer.write(
    frame(frameType.cancel, 0, id(1, 0), (writer) => {
      writeVarint(writer, 1)
      writeText(writer, 'é'.repeat(10_000))
    }),
  )
  await peer.first(frameType.error, id(1, 0))
  peer.socket.destroy()
})
