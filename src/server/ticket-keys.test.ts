import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import test from 'node:test'
import tls, { type ConnectionOptions } from 'node:tls'
import { type Logger, type ServeOptions, type Server, call, contract, implement, serve } from 'trunkline'
import * as z from 'zod'
import { authority } from '../../test/support/authority.ts'
import { quiet, rememberingLog } from '../../test/support/quiet-log.ts'
import { shake } from '../../test/support/tls-shake.ts'
import { renewTicketKeys } from './ticket-keys.ts'
import { type TlsOptions, addServerNames, serverTls } from './tls.ts'

const Whoami = contract('test.sessions.v1', {
  ask: call({ output: z.object({ id: z.string() }), rest: 'GET /' }),
})
const implementation = implement(Whoami, { ask: (_, ctx) => ({ id: ctx.principal?.id ?? 'nobody' }) })

const root = await authority('Acme Root')
const stranger = await authority('Strange Root')
const localhost = await root.issue({ names: [{ type: 'dns', value: 'localhost' }] })
const other = await root.issue({ names: [{ type: 'dns', value: 'other.example' }] })
const billing = await root.issue({ commonName: 'billing' })
const impostor = await stranger.issue({ commonName: 'billing' })

const serving = (tls: ServeOptions['tls']): Promise<Server> =>
  serve(implementation, { port: 0, log: quiet, tls: { ...localhost, ...tls } })

const versions = ['TLSv1.2', 'TLSv1.3'] as const
const offered = (version: (typeof versions)[number], more: ConnectionOptions = {}): ConnectionOptions => ({
  ca: root.cert,
  minVersion: version,
  maxVersion: version,
  ...more,
})

for (const version of versions) {
  test(`servers with the same ticket keys resume each other's sessions, by every name, with ${version}`, async () => {
    const ticketKeys = randomBytes(48)
    const options = { ticketKeys, serverNames: { 'other.example': other } }
    await using one = await serving(options)
    await using two = await serving(options)
    await using three = await serving({ ...options, ticketKeys: randomBytes(48) })
    for (const servername of ['localhost', 'other.example']) {
      const { resumed, session } = await shake(one.port, offered(version, { servername }))
      assert.equal(resumed, false)
      const again = offered(version, { servername, session: session as Buffer })
      assert.equal((await shake(two.port, again)).resumed, true)
      assert.equal((await shake(three.port, again)).resumed, false)
    }
  })

  test(`a session is not resumed under another name than it began with, with ${version}`, async () => {
    await using server = await serving({ serverNames: { 'other.example': other } })
    const { session } = await shake(server.port, offered(version))
    const elsewhere = offered(version, { servername: 'other.example', session: session as Buffer })
    assert.equal((await shake(server.port, elsewhere)).resumed, false)
  })

  test(`a session does not outlive a change of who vouches for clients, with ${version}`, async () => {
    const ticketKeys = randomBytes(48)
    const asked = { ticketKeys, clientCa: root.cert }
    await using open = await serving({ ticketKeys })
    await using optional = await serving({ ...asked, clientCertificate: 'optional' })
    await using required = await serving(asked)
    await using changed = await serving({ ...asked, clientCa: stranger.cert })
    await using both = await serving({ ...asked, clientCa: [root.cert, stranger.cert] })

    const nobody = await shake(optional.port, offered(version))
    const known = await shake(required.port, offered(version, billing))
    assert.match(known.answer, /subject:billing/)
    const elsewhere = await shake(open.port, offered(version))
    for (const { session } of [nobody, elsewhere]) {
      await assert.rejects(shake(required.port, offered(version, { session: session as Buffer })))
    }
    const withSession = offered(version, { ...billing, session: known.session as Buffer })
    await assert.rejects(shake(changed.port, withSession))
    const { resumed, answer } = await shake(both.port, withSession)
    assert.equal(resumed, false)
    assert.match(answer, /subject:billing/)
  })

  test(`who was nobody is nobody when the session is resumed, with ${version}`, async () => {
    await using server = await serving({ clientCa: root.cert, clientCertificate: 'optional' })
    for (const pair of [{}, impostor]) {
      const first = await shake(server.port, offered(version, pair))
      const second = await shake(server.port, offered(version, { ...pair, session: first.session as Buffer }))
      assert.deepEqual([first.resumed, second.resumed], [false, true])
      for (const { answer } of [first, second]) assert.match(answer, /"nobody"/)
    }
  })

  test(`a client's certificate that has expired since is not resumed with, with ${version}`, async (t) => {
    await using required = await serving({ clientCa: root.cert })
    await using optional = await serving({ clientCa: root.cert, clientCertificate: 'optional' })
    const first = await shake(required.port, offered(version, billing))
    const second = await shake(optional.port, offered(version, billing))
    assert.match(second.answer, /subject:billing/)

    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 60 * 86_400_000 })
    await assert.rejects(
      shake(required.port, offered(version, { ...billing, session: first.session as Buffer })),
    )
    const again = await shake(
      optional.port,
      offered(version, { ...billing, session: second.session as Buffer }),
    )
    assert.equal(again.resumed, true)
    assert.match(again.answer, /"nobody"/)
  })
}

/** TLS as a listener sets it up, and nothing else, so that the timers of a test are those of the keys only. */
async function renewing(
  options: TlsOptions,
  log: Logger = quiet,
): Promise<AsyncDisposable & { port: number }> {
  const server = tls.createServer(serverTls({ ...localhost, ...options }), (socket) => {
    socket.once('data', () => socket.end('answer'))
  })
  addServerNames(server, options)
  renewTicketKeys(server, options.ticketKeys, log)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const closed = once(server, 'close')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close()
      await closed
    },
  }
}

test('keys of its own are new every day, for every name', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  await using server = await renewing({ serverNames: { 'other.example': other } })
  const minute = 60_000
  for (const servername of ['localhost', 'other.example']) {
    const { session } = await shake(server.port, offered('TLSv1.3', { servername }))
    const again = offered('TLSv1.3', { servername, session: session as Buffer })
    t.mock.timers.tick(24 * 60 * minute - 1)
    assert.equal((await shake(server.port, again)).resumed, true)
    t.mock.timers.tick(1)
    assert.equal((await shake(server.port, again)).resumed, false)
  }
})

test('a function is asked for the keys every minute; what it cannot give is logged, and the old ones stay', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  let keys: Buffer = randomBytes(48)
  const log = rememberingLog()
  await using server = await renewing({ ticketKeys: () => keys }, log)
  const { session } = await shake(server.port, offered('TLSv1.3'))
  const again = offered('TLSv1.3', { session: session as Buffer })
  t.mock.timers.tick(60_000)
  assert.equal((await shake(server.port, again)).resumed, true)

  keys = Buffer.alloc(47)
  t.mock.timers.tick(60_000)
  assert.equal((await shake(server.port, again)).resumed, true)
  assert.ok(log.lines.some(({ message }) => message.includes('could not be renewed')))

  keys = randomBytes(48)
  t.mock.timers.tick(60_000)
  assert.equal((await shake(server.port, again)).resumed, false)
})

test('ticket keys that OpenSSL would not take are refused, and not shown', async () => {
  await assert.rejects(serving({ ticketKeys: Buffer.from('secret') }), {
    name: 'TypeError',
    message: /ticketKeys: expected a Buffer of 48 bytes.*, got 6 bytes/,
  })
  await assert.rejects(serving({ ticketKeys: 'secret' as never }), {
    message:
      /ticketKeys: expected 48 random bytes as a Buffer, or a function that returns them, got a string/,
  })
})
