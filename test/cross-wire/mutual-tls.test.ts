import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import test from 'node:test'
import { CallError, call, connect, contract, implement } from 'trunkline'
import * as z from 'zod'
import { authority } from '../support/authority.ts'
import { certificate } from '../support/certificate.ts'
import { quiet } from '../support/quiet-log.ts'
import { pair, rows } from './rows.ts'

const Whoami = contract('test.whoami.v1', {
  ask: call({ output: z.object({ id: z.string() }), scopes: ['any'] }),
})

const secured = rows.filter(({ tls }) => tls)

/** Everything that a handler learns of who calls, as text. */
const Mirror = contract('test.mirror.v1', { look: call({ output: z.object({ principal: z.string() }) }) })
const mirror = implement(Mirror, {
  look: (_, { principal }) => ({ principal: JSON.stringify(principal ?? null) }),
})

test('a certificate is the same principal over every wire, and a stranger nobody over each of them', async () => {
  const root = await authority('Acme Root')
  const server = await root.issue({ names: [{ type: 'dns', value: 'localhost' }] })
  const billing = await root.issue({
    commonName: 'billing',
    names: [
      { type: 'dns', value: 'Billing.internal' },
      { type: 'url', value: 'spiffe://acme.org/billing' },
    ],
  })
  const stranger = await (await authority('Strange Root')).issue({ commonName: 'billing' })
  const serving = { tls: { ...server, clientCa: root.cert, clientCertificate: 'optional' } } as const

  const seen = new Map<string, string[]>()
  for (const row of secured) {
    await using running = await pair(row, Mirror, mirror, { serve: serving })
    for (const [who, shown] of [
      ['billing', billing],
      ['stranger', stranger],
      ['nameless', {}],
    ] as const) {
      const tls = { ca: root.cert, servername: 'localhost', ...shown }
      await using client = connect(Mirror, running.target, { log: quiet, tls })
      seen.set(who, [...(seen.get(who) ?? []), (await client.look()).principal])
    }
  }

  const { fingerprint256 } = new X509Certificate(billing.cert)
  const principal = {
    id: 'spiffe://acme.org/billing',
    claims: {
      subject: 'billing',
      names: ['DNS:Billing.internal', 'URI:spiffe://acme.org/billing'],
      fingerprint: fingerprint256,
    },
  }
  assert.ok(secured.length >= 3)
  assert.deepEqual(seen.get('billing'), Array(secured.length).fill(JSON.stringify(principal)))
  for (const who of ['stranger', 'nameless']) {
    assert.deepEqual(seen.get(who), Array(secured.length).fill('null'), who)
  }
})

for (const row of secured) {
  test(`the certificate that a client shows reaches authenticate, over ${row.name}`, async () => {
    const { key, cert } = certificate()
    const implementation = implement(Whoami, { ask: (_input, ctx) => ({ id: ctx.principal?.id ?? '' }) })
    await using running = await pair(row, Whoami, implementation, {
      serve: {
        tls: { key, cert, clientCa: cert, clientCertificate: 'optional' },
        authenticate({ peer }) {
          if (peer.certificate === undefined) return undefined
          assert.ok(peer.certificate.names.includes('DNS:localhost'))
          assert.match(peer.certificate.fingerprint, /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/)
          return { id: peer.certificate.subject, scopes: ['any'] }
        },
      },
    })

    await using known = connect(Whoami, running.target, {
      log: quiet,
      tls: { ca: cert, cert, key, servername: 'localhost' },
    })
    assert.deepEqual(await known.ask(), { id: 'localhost' })
    await assert.rejects(
      running.client.ask(),
      (error: unknown) => CallError.is(error) && error.code === 'unauthenticated',
    )
  })

  test(`a server whose certificate nobody vouches for is not spoken to, over ${row.name}`, async () => {
    const implementation = implement(Whoami, { ask: () => ({ id: '' }) })
    await using running = await pair(row, Whoami, implementation, {
      serve: { authenticate: () => undefined },
    })
    await using client = connect(Whoami, running.target, { log: quiet })
    await assert.rejects(client.ask(), (error: unknown) => {
      assert.ok(CallError.is(error))
      assert.equal(error.code, 'unavailable')
      assert.match(error.message, /self[- ]signed certificate/i)
      return true
    })
  })
}
