import assert from 'node:assert/strict'
import test from 'node:test'
import { CallError, call, connect, contract, implement } from 'trunkline'
import * as z from 'zod'
import { certificate } from '../support/certificate.ts'
import { quiet } from '../support/quiet-log.ts'
import { pair, rows } from './rows.ts'

const Whoami = contract('test.whoami.v1', {
  ask: call({ output: z.object({ id: z.string() }), scopes: ['any'] }),
})

for (const row of rows.filter(({ tls }) => tls)) {
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
