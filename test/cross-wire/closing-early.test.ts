/** A client that is closed while its calls wait for a connection, for a handshake, for a back-off or for a server: they end. */
import assert from 'node:assert/strict'
import net from 'node:net'
import test from 'node:test'
import { CallError, connect, disconnect } from 'trunkline'
import { quiet } from '../support/quiet-log.ts'
import { Probe } from './contract.ts'
import { networkRows, withoutStreamedInput } from './rows.ts'

/** Accepts connections, and says nothing. */
async function silent(): Promise<{ port: number; connected: Promise<void> } & AsyncDisposable> {
  const { promise: connected, resolve } = Promise.withResolvers<void>()
  const sockets = new Set<net.Socket>()
  const server = net.createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.resume()
    resolve()
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    port: (server.address() as net.AddressInfo).port,
    connected,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((closed) => server.close(closed))
    },
  }
}

/** A port where nothing listens. */
async function nothing(): Promise<number> {
  const server = await silent()
  await server[Symbol.asyncDispose]()
  return server.port
}

const turns = async (count: number) => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}

const first = (stream: AsyncIterable<unknown>) => stream[Symbol.asyncIterator]().next()

for (const row of networkRows.filter(({ unix }) => !unix)) {
  for (const grace of [0, 20]) {
    test(`a client that is closed before its server says anything ends its calls, after ${grace} ms, over ${row.name}`, async () => {
      await using server = await silent()
      for (let moment = 0; moment < 12; moment++) {
        const client = connect(Probe, `${row.scheme}127.0.0.1:${server.port}`, { log: quiet })
        const calls = [
          client.echo({ n: 1, text: 'x' }),
          first(client.endless({ size: 1 })),
          ...(withoutStreamedInput(row)
            ? []
            : [client.sum([{ n: 1, text: 'x' }]), first(client.transform([{ n: 1, text: 'x' }]))]),
        ]
        const outcomes = Promise.allSettled(calls)
        if (moment > 8) await server.connected
        await turns(moment)
        await disconnect(client, { grace })
        for (const outcome of await outcomes) {
          assert.ok(outcome.status === 'rejected' && CallError.is(outcome.reason))
          assert.equal(outcome.reason.code, 'unavailable', outcome.reason.message)
        }
      }
    })
  }

  test(`a client that is closed in its back-off and its waiting room lets go of its calls, over ${row.name}`, async () => {
    const port = await nothing()
    for (let moment = 0; moment < 12; moment++) {
      const client = connect(Probe, `${row.scheme}127.0.0.1:${port}`, { log: quiet, waitForReady: true })
      const calls = [
        client.echo({ n: 1, text: 'x' }, { timeout: 60_000 }),
        first(client.endless({ size: 1 })),
        ...(withoutStreamedInput(row) ? [] : [client.sum([{ n: 1, text: 'x' }], { timeout: 60_000 })]),
      ]
      const outcomes = Promise.allSettled(calls)
      await turns(moment * 3)
      await disconnect(client, { grace: 5 })
      for (const outcome of await outcomes) {
        assert.ok(outcome.status === 'rejected' && CallError.is(outcome.reason))
        assert.equal(outcome.reason.code, 'unavailable', outcome.reason.message)
      }
    }
  })
}
