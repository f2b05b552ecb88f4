// Peers that are slow on purpose (slowloris): heads and bodies that come byte by byte, or not at all, are ended on time.

import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { until } from '../support/events.ts'
import { type RawConnection, rawConnection } from '../support/raw-http.ts'
import { target } from './contract.ts'

/** Sends text again and again, until the server has had enough. */
async function drip(raw: RawConnection, text: string): Promise<void> {
  const timer = setInterval(() => raw.socket.write(text), 5)
  await raw.closed
  clearInterval(timer)
  raw.socket.destroy()
}

const post = 'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n'

// All wait for a clock: together they take as long as one.
suite('a peer that is slow on purpose', { concurrency: true }, () => {
  test('a head that comes byte by byte is 408 after limits.headerTimeout, however much of it comes', async () => {
    const { server } = await target({ headerTimeout: 200 })
    await using _ = server
    const all = await Promise.all(Array.from({ length: 20 }, () => rawConnection(server.port)))
    await Promise.all(
      all.map(async (raw) => {
        raw.socket.write('GET /kibibyte HTTP/1.1\r\nhost: x\r\nx: ')
        await drip(raw, 'x')
        assert.match(raw.text(), /^HTTP\/1\.1 408 /)
      }),
    )
    await until(() => server.connections === 0, 'none is left')
  })

  test('a second head on a connection has no more time than the first', async () => {
    const { server } = await target({ headerTimeout: 200 })
    await using _ = server
    const raw = await rawConnection(server.port)
    raw.socket.write('GET /kibibyte HTTP/1.1\r\nhost: x\r\n\r\nGET /kib')
    await raw.until('200 OK')
    await drip(raw, 'i')
    assert.match(raw.text(), /HTTP\/1\.1 408 /)
  })

  test('empty lines between requests are no way to stay', async () => {
    const { server } = await target()
    await using _ = server
    const raw = await rawConnection(server.port)
    raw.socket.write('GET /kibibyte HTTP/1.1\r\nhost: x\r\n\r\n')
    await raw.until('xxx"}')
    await drip(raw, '\r\n')
    assert.match(raw.text(), /HTTP\/1\.1 400 /)
  })

  for (const [framing, head, piece] of [
    ['with a length', `${post}content-length: 100000\r\n\r\n{"text":"`, 'x'],
    ['in chunks', `${post}transfer-encoding: chunked\r\n\r\n9\r\n{"text":"\r\n`, '1\r\nx\r\n'],
  ] as const) {
    test(`a body ${framing} that comes byte by byte ends with the call's deadline, and its connection soon after`, async () => {
      const { server } = await target({ callTimeout: 200, stallTimeout: 200 })
      await using _ = server
      const raw = await rawConnection(server.port)
      raw.socket.write(head)
      await drip(raw, piece)
      assert.match(raw.text(), /^HTTP\/1\.1 504 /)
      await until(() => server.connections === 0, 'the connection is closed')
      assert.equal(server.internals.host.partialBodies.held, 0)
    })

    test(`a body ${framing} that stops is 408 after limits.stallTimeout`, async () => {
      const { server } = await target({ stallTimeout: 100 })
      await using _ = server
      const raw = await rawConnection(server.port)
      raw.socket.write(head)
      await raw.closed
      assert.match(raw.text(), /^HTTP\/1\.1 408 /)
      raw.socket.destroy()
      await until(() => server.connections === 0, 'the connection is closed')
    })
  }

  test('the extension of a chunk that comes byte by byte is no progress of a body', async () => {
    const { server } = await target({ stallTimeout: 200 })
    await using _ = server
    const raw = await rawConnection(server.port)
    raw.socket.write(`${post}transfer-encoding: chunked\r\n\r\n9;x=`)
    await drip(raw, 'x')
    assert.match(raw.text(), /^HTTP\/1\.1 408 /)
  })

  test('trailers that come byte by byte are no progress of a body', async () => {
    const { server } = await target({ stallTimeout: 200 })
    await using _ = server
    const raw = await rawConnection(server.port)
    raw.socket.write(`${post}transfer-encoding: chunked\r\n\r\n9\r\n{"text":"\r\n0\r\nx: `)
    await drip(raw, 'x')
    assert.match(raw.text(), /^HTTP\/1\.1 408 /)
  })
})
