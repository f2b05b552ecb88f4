import assert from 'node:assert/strict'
import { once } from 'node:events'
import http2 from 'node:http2'
import test from 'node:test'
import tls from 'node:tls'
import { type ServeOptions, type Server, call, connect, contract, implement, serve } from 'trunkline'
import * as z from 'zod'
import { authority } from '../../test/support/authority.ts'
import { until } from '../../test/support/events.ts'
import { quiet, rememberingLog } from '../../test/support/quiet-log.ts'

const Whoami = contract('test.tls.v1', {
  ask: call({ output: z.object({ id: z.string() }), rest: 'GET /whoami' }),
})
const implementation = implement(Whoami, { ask: (_, ctx) => ({ id: ctx.principal?.id ?? 'nobody' }) })

const root = await authority('Acme Root')
const stranger = await authority('Strange Root')
const localhost = await root.issue({
  commonName: 'localhost',
  names: [
    { type: 'dns', value: 'localhost' },
    { type: 'ip', value: '127.0.0.1' },
  ],
})

function serving(tlsOptions: ServeOptions['tls'], options: ServeOptions = {}): Promise<Server> {
  return serve(implementation, {
    port: 0,
    log: quiet,
    ...(tlsOptions ? { tls: tlsOptions } : {}),
    ...options,
  })
}

const client = (server: Server, options: Parameters<typeof connect>[2], scheme = 'trunks') =>
  connect(Whoami, `${scheme}://127.0.0.1:${server.port}`, { log: quiet, ...options })

test('a certificate that does not fit is told with its names, its issuer and its dates', async () => {
  const names = [{ type: 'dns', value: 'orders.example' } as const]
  const cases = [
    {
      subject: { names, from: -20, until: -10 },
      says: /certificate expired on .* GMT \(its names: DNS:orders\.example; issued by Acme Root\)/,
    },
    {
      subject: { names, from: 10, until: 20 },
      says: /valid only from .* GMT on; is this machine's clock right\?/,
    },
    {
      subject: { names },
      says: /for another name than 127\.0\.0\.1 \(its names: DNS:orders\.example; issued by Acme Root\): connect to one of these/,
    },
  ]
  for (const { subject, says } of cases) {
    await using server = await serving(await root.issue(subject))
    for (const scheme of ['trunks', 'https']) {
      await using calling = client(server, { tls: { ca: root.cert } }, scheme)
      await assert.rejects(calling.ask(), { code: 'unavailable', processed: 'no', message: says })
    }
  }

  await using server = await serving(localhost)
  await using doubting = client(server, { tls: { ca: stranger.cert } })
  await assert.rejects(
    doubting.ask(),
    /not trusted \(its authority is not known here; its names: DNS:localhost.*Acme Root\)/,
  )
  await using careless = client(server, { tls: { rejectUnauthorized: false } })
  assert.deepEqual(await careless.ask(), { id: 'nobody' })
})

test('the name that a client asks for chooses the certificate: exact, one label for *, else the first', async () => {
  const one = await root.issue({ names: [{ type: 'dns', value: 'one.example.org' }] })
  const any = await root.issue({ names: [{ type: 'dns', value: '*.example.org' }] })
  await using server = await serving({
    ...localhost,
    serverNames: { 'one.example.org': one, '*.example.org': any },
  })
  const shown = async (servername: string) => {
    const socket = tls.connect({
      port: server.port,
      host: '127.0.0.1',
      servername,
      ca: root.cert,
      rejectUnauthorized: false,
    })
    await once(socket, 'secureConnect')
    const names = socket.getPeerCertificate().subjectaltname
    socket.destroy()
    return names
  }
  assert.equal(await shown('one.example.org'), 'DNS:one.example.org')
  assert.equal(await shown('two.example.org'), 'DNS:*.example.org')
  assert.equal(await shown('a.b.example.org'), 'DNS:localhost, IP Address:127.0.0.1')
  assert.equal(await shown('elsewhere.net'), 'DNS:localhost, IP Address:127.0.0.1')
})

test('with clientCa a client must show a certificate of one of these authorities, and is its principal', async () => {
  const billing = await root.issue({
    commonName: 'billing',
    names: [
      { type: 'dns', value: 'billing.internal' },
      { type: 'url', value: 'spiffe://acme.org/billing' },
    ],
  })
  const impostor = await stranger.issue({ commonName: 'billing' })
  await using server = await serving({ ...localhost, clientCa: root.cert })
  const ca = root.cert

  for (const scheme of ['trunks', 'grpcs', 'https']) {
    await using known = client(server, { tls: { ca, ...billing } }, scheme)
    assert.deepEqual(await known.ask(), { id: 'spiffe://acme.org/billing' })
    for (const pair of [{}, impostor]) {
      await using unknown = client(server, { tls: { ca, ...pair } }, scheme)
      await assert.rejects(unknown.ask(), { code: 'unavailable' })
    }
  }
})

test('clients are vouched for by the same authorities under every server name', async () => {
  const named = await root.issue({ names: [{ type: 'dns', value: 'one.example.org' }] })
  const billing = await root.issue({ commonName: 'billing' })
  const impostor = await stranger.issue({ commonName: 'billing' })
  for (const clientCertificate of ['required', 'optional'] as const) {
    const options = { ...localhost, serverNames: { 'one.example.org': named } }
    await using server = await serving({ ...options, clientCa: root.cert, clientCertificate })
    for (const servername of ['localhost', 'one.example.org']) {
      const ca = root.cert
      await using known = client(server, { tls: { ca, servername, ...billing } })
      assert.deepEqual(await known.ask(), { id: 'subject:billing' })
      for (const pair of [{}, impostor]) {
        await using unknown = client(server, { tls: { ca, servername, ...pair } })
        if (clientCertificate === 'optional') assert.deepEqual(await unknown.ask(), { id: 'nobody' })
        else await assert.rejects(unknown.ask(), { code: 'unavailable' })
      }
    }
  }
})

test('an optional certificate is the principal when it is good, and nobody when it is not', async () => {
  await using server = await serving({ ...localhost, clientCa: root.cert, clientCertificate: 'optional' })
  const cases = [
    [
      await root.issue({ commonName: 'x', names: [{ type: 'dns', value: 'stock.internal' }] }),
      'dns:stock.internal',
    ],
    [await root.issue({ commonName: 'stock' }), 'subject:stock'],
    [await stranger.issue({ commonName: 'stock' }), 'nobody'],
    [await root.issue({ commonName: 'stock', from: -9, until: -3 }), 'nobody'],
    [{}, 'nobody'],
  ] as const
  for (const [pair, id] of cases) {
    await using calling = client(server, { tls: { ca: root.cert, ...pair } })
    assert.deepEqual(await calling.ask(), { id })
  }
})

test('authenticate has the last word over the certificate', async () => {
  const pair = await root.issue({ commonName: 'stock' })
  await using server = await serving(
    { ...localhost, clientCa: root.cert },
    { authenticate: ({ peer }) => ({ id: `my-${peer.certificate?.subject}` }) },
  )
  await using calling = client(server, { tls: { ca: root.cert, ...pair } })
  assert.deepEqual(await calling.ask(), { id: 'my-stock' })
})

test('a client resumes its TLS session when it connects again, and its certificate stays known', async () => {
  const pair = await root.issue({ commonName: 'stock' })
  await using server = await serving({ ...localhost, clientCa: root.cert }, { limits: { idleTimeout: 50 } })
  await using calling = client(server, { tls: { ca: root.cert, ...pair } })
  const reused = new Set<boolean>()
  // The server's own sockets say whether a handshake was a short one.
  const emit = tls.TLSSocket.prototype.emit
  tls.TLSSocket.prototype.emit = function (this: tls.TLSSocket, ...given: Parameters<typeof emit>) {
    if (given[0] === 'secureConnect') reused.add(this.isSessionReused())
    return emit.apply(this, given)
  } as typeof emit
  try {
    assert.deepEqual(await calling.ask(), { id: 'subject:stock' })
    await until(() => server.connections === 0, 'the idle connection is closed')
    assert.deepEqual(await calling.ask(), { id: 'subject:stock' })
  } finally {
    tls.TLSSocket.prototype.emit = emit
  }
  assert.deepEqual([...reused], [false, true])
})

test('TLS 1.2 and 1.3 with forward secrecy, and nothing older', async () => {
  await using server = await serving(localhost)
  const shake = async (options: tls.ConnectionOptions) => {
    const socket = tls.connect({
      port: server.port,
      host: '127.0.0.1',
      servername: 'localhost',
      ca: root.cert,
      ...options,
    })
    socket.on('error', () => undefined)
    await new Promise((resolve) => socket.once('secureConnect', resolve).once('close', resolve))
    const result = socket.destroyed ? 'refused' : `${socket.getProtocol()} ${socket.getCipher().name}`
    socket.destroy()
    return result
  }
  assert.match(await shake({}), /^TLSv1\.3 TLS_/)
  assert.match(await shake({ maxVersion: 'TLSv1.2' }), /^TLSv1\.2 ECDHE-ECDSA-/)
  assert.equal(
    await shake({ maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' }),
    'refused',
  )
  assert.equal(await shake({ maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' }), 'refused')
  assert.equal(await shake({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' }), 'refused')
  assert.equal(await shake({ ecdhCurve: 'secp521r1' }), 'refused')
})

test('ALPN chooses HTTP/2 over HTTP/1.1, and trunk over both, where a client offers them', async () => {
  await using server = await serving(localhost)
  const chosen = async (...ALPNProtocols: string[]) => {
    const socket = tls.connect({ port: server.port, host: '127.0.0.1', ca: root.cert, ALPNProtocols })
    await once(socket, 'secureConnect')
    socket.destroy()
    return socket.alpnProtocol
  }
  assert.equal(await chosen('http/1.1', 'h2', 'trunk/1'), 'trunk/1')
  assert.equal(await chosen('http/1.1', 'h2'), 'h2')
  assert.equal(await chosen('spdy/3', 'http/1.1'), 'http/1.1')

  const session = http2.connect(`https://localhost:${server.port}`, { ca: root.cert })
  const request = session.request({ ':path': '/whoami' })
  const [headers] = (await once(request, 'response')) as [http2.IncomingHttpHeaders & { ':status': number }]
  assert.deepEqual([headers[':status'], session.alpnProtocol], [200, 'h2'])
  session.destroy()
})

test('mistakes in tls are found before the server listens', async () => {
  const other = await root.issue({ commonName: 'x' })
  const refused = (options: object, message: RegExp) =>
    assert.rejects(serving(options), { name: 'TypeError', message })
  await refused({}, /a server needs key and cert \(PEM\), or pfx/)
  await refused({ cert: localhost.cert, key: other.key }, /the key does not belong to the certificate/)
  await refused(
    { cert: './cert.pem', key: './key.pem' },
    /must be PEM \(-----BEGIN …-----\), not paths or DER/,
  )
  await refused({ ...localhost, clientCA: root.cert }, /no option 'clientCA'; did you mean 'clientCa'\?/)
  await refused({ ...localhost, clientCertificate: 'required' }, /clientCertificate needs clientCa/)
  await refused(
    { ...localhost, clientCa: root.cert, clientCertificate: 'maybe' },
    /expected 'required' or 'optional'/,
  )
  await refused({ ...localhost, serverNames: { 'a b': other } }, /serverNames\['a b'\] is no DNS name/)
  await refused(
    { ...localhost, serverNames: { a: { cert: other.cert, key: localhost.key } } },
    /serverNames\['a'\]: the key does not/,
  )
})

test('authorities that would let in the wrong clients, or none, are found before the server listens', async () => {
  const refused = (options: object, message: RegExp) =>
    assert.rejects(serving({ ...localhost, ...options }), { name: 'TypeError', message })
  await refused({ clientCa: [] }, /clientCa: an empty list names no authority/)
  await refused({ clientCa: './ca.pem' }, /clientCa: there is no certificate in it; it must be PEM/)
  await refused({ clientCa: [root.cert, localhost.key] }, /clientCa: there is no certificate in it/)
  const broken = root.cert.replace(/\n.{40}/, `\n${'A'.repeat(40)}`)
  await refused({ clientCa: broken }, /clientCa: a certificate in it cannot be read/)
  // OpenSSL trusts what lies in a PFX for clients as well; what an SNICallback makes trusts the system's.
  await refused(
    { clientCa: root.cert, pfx: Buffer.from('x') },
    /the authorities within it would vouch for clients too/,
  )
  await refused({ clientCa: root.cert, SNICallback() {} }, /clientCa would not count/)
  await refused({ serverNames: { a: localhost }, SNICallback() {} }, /SNICallback would hide serverNames/)
  await refused({ requestCert: true }, /there is no option 'requestCert'/)
})

test('no error shows a key or a pass phrase', async () => {
  const refused = (run: () => unknown, message: RegExp) =>
    assert.rejects(
      async () => void (await run()),
      (error: Error) => {
        assert.match(error.message, message)
        assert.doesNotMatch(`${error.message} ${String(error.cause)}`, /BEGIN PRIVATE|31337|hunter2/)
        return true
      },
    )
  const url = 'trunks://127.0.0.1:1'
  for (const [options, message] of [
    [localhost.key, /tls: expected an object, got a string/],
    [{ ...localhost, passphrase: 31_337 }, /passphrase: expected .*, got a number/],
    [{ ...localhost, key: [localhost.key] }, /key: expected PEM, .*, got an array/],
    [{ ...localhost, key: 'hunter2' }, /must be PEM/],
    [{ cert: localhost.key, key: localhost.key }, /must be PEM/],
  ] as const) {
    await refused(() => serving(options as never), message)
    await refused(() => connect(Whoami, url, { tls: options as never }), message)
  }
})

test('what a client is given for TLS is checked before it connects', async () => {
  const other = await root.issue({ commonName: 'x' })
  const refused = (options: object, message: RegExp) =>
    assert.throws(() => connect(Whoami, 'trunks://127.0.0.1:1', { tls: options }), {
      name: 'TypeError',
      message,
    })
  refused({ caa: root.cert }, /connect: tls: there is no option 'caa'; did you mean 'ca'\?/)
  refused({ ca: './ca.pem' }, /connect: tls: ca: there is no certificate in it/)
  refused({ ca: [] }, /connect: tls: ca: an empty list names no authority/)
  refused({ cert: localhost.cert }, /cert and key are the two halves of one thing: give both/)
  refused({ cert: localhost.cert, key: other.key }, /the key does not belong to the certificate/)
})

test('a client that is not let in is told why, as far as the server says', async () => {
  const impostor = await stranger.issue({ commonName: 'billing' })
  await using server = await serving({ ...localhost, clientCa: root.cert })
  for (const scheme of ['trunks', 'grpcs', 'https']) {
    await using nameless = client(server, { tls: { ca: root.cert } }, scheme)
    await assert.rejects(nameless.ask(), { code: 'unavailable', message: /demands a client certificate/ })
    await using unknown = client(server, { tls: { ca: root.cert, ...impostor } }, scheme)
    await assert.rejects(unknown.ask(), {
      code: 'unavailable',
      message: /client certificate.*, or refuses this one/,
    })
  }
})

test('a client does not go on with a session whose server certificate has expired since', async (t) => {
  await using server = await serving(localhost, { limits: { idleTimeout: 50 } })
  await using calling = client(server, { tls: { ca: root.cert } })
  const reused: boolean[] = []
  const emit = tls.TLSSocket.prototype.emit
  t.mock.method(
    tls.TLSSocket.prototype,
    'emit',
    function (this: tls.TLSSocket, ...given: Parameters<typeof emit>) {
      if (given[0] === 'secureConnect') reused.push(this.isSessionReused())
      return emit.apply(this, given)
    },
  )
  for (const days of [0, 29, 31]) {
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + days * 86_400_000 })
    await calling.ask()
    t.mock.timers.reset()
    await until(() => server.connections === 0, 'the idle connection is closed')
  }
  assert.deepEqual(reused, [false, true, false])
})

test('TLS 1.3 alone, and no renegotiation with 1.2', async () => {
  await using modern = await serving({ ...localhost, minVersion: 'TLSv1.3' })
  await using calling = client(modern, { tls: { ca: root.cert } })
  assert.deepEqual(await calling.ask(), { id: 'nobody' })
  const old = tls.connect({ port: modern.port, host: '127.0.0.1', ca: root.cert, maxVersion: 'TLSv1.2' })
  const [refusal] = (await once(old, 'error')) as [NodeJS.ErrnoException]
  assert.match(String(refusal.code), /PROTOCOL_VERSION/)

  await using server = await serving(localhost)
  const socket = tls.connect({ port: server.port, host: '127.0.0.1', ca: root.cert, maxVersion: 'TLSv1.2' })
  await once(socket, 'secureConnect')
  const ended = once(socket, 'error')
  socket.renegotiate({}, () => undefined)
  // Sent with the next bytes.
  socket.write('x')
  const [error] = (await ended) as [NodeJS.ErrnoException]
  assert.match(error.message, /no renegotiation/)
})

test('a certificate that has expired, or soon will, is warned of at the start', async () => {
  for (const [from, days, says] of [
    [-9, -1, 'has expired'],
    [-30, 3, 'expires within 7 days'],
    [2, 9, 'not valid yet'],
  ] as const) {
    const log = rememberingLog()
    await using _ = await serving(await root.issue({ commonName: 'x', from, until: days }), { log })
    assert.ok(
      log.lines.some(({ message }) => message.includes(says)),
      says,
    )
  }
  const log = rememberingLog()
  const old = await authority('Old Root', { until: -1 })
  await using _ = await serving({ ...localhost, clientCa: old.cert }, { log })
  assert.ok(log.lines.some(({ message }) => message === 'tls: an authority in clientCa has expired'))
})
