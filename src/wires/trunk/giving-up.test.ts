/** Connections that are given up by one side, for a peer that takes nothing or for a mistake of its own. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as z from 'zod'
import type { CallError } from '../../call/error.ts'
import { call } from '../../contract/call.ts'
import { contract, contractInfo } from '../../contract/contract.ts'
import { implement } from '../../server/implement.ts'
import { until } from '../../../test/support/events.ts'
import { Log, callOf, channelTo, send, trunkPair } from '../../../test/support/trunk.ts'
import {
  type RawPeer,
  credit,
  frame,
  openBody,
  rawClient,
  rawServer,
  serverHello,
} from '../../../test/support/trunk-raw.ts'
import { Cursor } from './fields.ts'
import { flag, frameType } from './frames.ts'

const N = z.object({ n: z.int32() })
const Work = contract('test.quits.v1', {
  echo: call({ input: N, output: N }),
  blob: call({ input: z.object({ data: z.instanceof(Uint8Array) }) }),
  hang: call({ input: N, output: N }),
})
const working = implement(Work, {
  echo: (input) => input,
  blob: () => undefined,
  hang: () => new Promise<never>(() => undefined),
})
const { name, digest } = contractInfo(Work)
const everything = 0x7fff_ffff

async function goaway(peer: RawPeer) {
  const { flags, body } = await peer.first(frameType.goaway)
  const cursor = new Cursor().set(body, 0, body.length)
  return { flags, code: cursor.varint(), opens: cursor.varint(), text: cursor.text() }
}

test('a server that takes no bytes is given up by the client, though it goes on sending', async () => {
  using server = await rawServer((peer) => {
    const windows = { streamWindow: everything, connectionWindow: 1 << 30 }
    peer.write(serverHello(name, digest, ['echo', 'blob', 'hang'], windows))
    peer.answer(frameType.open, undefined, () => {
      peer.socket.pause()
      const heard = setInterval(() => peer.write(credit(0, 1)), 10)
      void peer.closed.then(() => clearInterval(heard))
    })
  })
  const log = new Log()
  const channel = await channelTo(server.port, contractInfo(Work), { stallTimeout: 120 }, log)
  const data = new Uint8Array(12 * 1024 * 1024)
  await assert.rejects(send(channel, callOf(Work, 'blob', { data })), {
    code: 'unavailable',
    message: /the peer has read nothing for 120 ms/,
    processed: 'maybe',
  })
  assert.equal(channel.state, 'closed')
  assert.match(String(log.lines[0]?.fields['reason']), /has read nothing for 120 ms/)
})

test('a server that fails says so with code 5, and only that connection is lost', async () => {
  const mistake = new Error('a listener that throws')
  await using pair = await trunkPair([working], {
    filters: [
      (next) => (served) => {
        if (served.operation.name === 'hang') {
          served.onCancel(() => {
            throw mistake
          })
        }
        return next(served)
      },
    ],
  })
  const peer = await rawClient(pair.port)
  await peer.first(frameType.hello)
  peer.write(frame(frameType.open, flag.end | flag.message, 0x1_0000, openBody(2, Uint8Array.of(8, 1))))
  await until(() => [...pair.served].some(({ active }) => active === 1), 'the call is open')
  peer.write(frame(frameType.cancel, 0, 0x1_0000, Uint8Array.of(1, 0)))

  assert.deepEqual(await goaway(peer), { flags: flag.end, code: 5, opens: 1, text: 'internal error' })
  await peer.closed
  assert.equal(pair.log.lines[0]?.level, 'error')
  assert.equal(pair.log.lines[0].fields['err'], mistake)
  assert.deepEqual((await send(pair.channel, callOf(Work, 'echo', { n: 5 }))).output, { n: 5 })
})

test('a client that fails says so with code 5', async () => {
  let theirs: RawPeer | undefined
  using server = await rawServer((peer) => {
    theirs = peer
    peer.write(serverHello(name, digest, ['echo', 'blob', 'hang']))
    peer.answer(frameType.open, undefined, ({ id }) => {
      peer.write(frame(frameType.data, flag.end | flag.message, id, Uint8Array.of(8, 1)))
    })
  })
  const log = new Log()
  const channel = await channelTo(server.port, contractInfo(Work), undefined, log)
  const mistake = new Error('a listener that throws')
  const broken = callOf(Work, 'echo', { n: 1 })
  broken.onEnd(() => {
    throw mistake
  })
  const answer = send(channel, broken)
  const peer = theirs as RawPeer
  const { flags, code, text } = await goaway(peer)
  assert.deepEqual([flags, code, text], [flag.end, 5, 'internal error'])
  await until(() => channel.state === 'closed', 'the channel is closed')
  assert.deepEqual((await answer).output, { n: 1 })
  assert.equal(log.lines[0]?.fields['err'], mistake)
})

test('a server that says it has failed makes the open calls unavailable', async () => {
  using server = await rawServer((peer) => {
    peer.write(serverHello(name, digest, ['echo', 'blob', 'hang']))
    peer.answer(frameType.open, undefined, () => {
      peer.write(frame(frameType.goaway, flag.end, 0, Uint8Array.of(5, 1, 2, 0x6f, 0x68)))
    })
  })
  const channel = await channelTo(server.port, contractInfo(Work), undefined, new Log())
  await assert.rejects(send(channel, callOf(Work, 'hang', { n: 1 })), (error: CallError) => {
    assert.deepEqual([error.code, error.processed], ['unavailable', 'maybe'])
    assert.match(error.message, /server: oh$/)
    return true
  })
})
