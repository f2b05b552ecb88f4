// A gRPC client that asks and reads nothing.

import assert from 'node:assert/strict'
import net from 'node:net'
import { test } from 'node:test'
import { connect } from 'trunkline'
import { setting } from '../../src/http2/settings.ts'
import { until } from '../support/events.ts'
import { RawPeer, request } from '../support/http2-raw.ts'
import { quiet } from '../support/quiet-log.ts'
import { Target, memory, target } from './contract.ts'

const MiB = 1024 * 1024
const count = 20_000
const emptyMessage = Buffer.alloc(5)

for (const [operation, windows] of [
  ['Kibibyte', 'windows that take all answers'],
  ['Kibibyte', 'windows that take none'],
  ['Hold', 'windows that take all answers'],
] as const) {
  test(`20,000 gRPC requests of ${operation} with nothing read, and ${windows}, cost less than 16 MiB; others are served`, async () => {
    const attacked = await target({ stallTimeout: 1000 })
    await using _ = attacked.server
    await using others = connect(Target, `grpc://127.0.0.1:${attacked.server.port}`, { log: quiet })
    await others.kibibyte()
    const before = await memory()

    const socket = net.connect(attacked.server.port, '127.0.0.1')
    const peer = new RawPeer(socket)
    socket.pause()
    peer
      .preface(setting.initialWindowSize, windows.endsWith('none') ? 0 : 0x7fff_ffff)
      .windowUpdate(0, 0x7fff_0000)

    const fields = request(
      `/test.target.v1.Target/${operation}`,
      'te',
      'trailers',
      'content-type',
      'application/grpc',
    )
    let sent = 0
    let stuck = 0
    let most = 0
    // Until nothing goes into the socket any more, or the server has ended it.
    while (sent < count && stuck < 200 && !socket.destroyed) {
      if (socket.writableLength > 0) {
        stuck++
        await new Promise((resolve) => setImmediate(resolve))
        continue
      }
      stuck = 0
      const id = 2 * sent++ + 1
      peer.headers(id, fields, false).data(id, emptyMessage)

      // As many as a connection may have open.
      if (sent !== 1000) continue
      await until(() => attacked.observed.kibibytes + attacked.observed.holding >= sent, 'all are served')
      most = await memory()
    }

    for (let index = 0; index < 100; index++) assert.equal((await others.kibibyte()).text.length, 1024)
    const grown = Math.max(most, await memory()) - before
    assert.ok(grown < 16 * MiB, `${grown / MiB} MiB after ${sent} requests`)

    socket.destroy()
    await until(() => attacked.observed.holding === 0, 'handlers that wait are told')
    await until(() => attacked.server.connections === 1, 'the connection is gone')
    const kept = (await memory()) - before
    assert.ok(kept < 4 * MiB, `${kept / MiB} MiB are kept`)
  })
}
