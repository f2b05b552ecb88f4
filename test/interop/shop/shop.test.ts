// Trunkline meets what exists: an application of grpc-js, of which the server, the client, or neither is replaced.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { certificate } from '../../support/certificate.ts'
import { folder, root, runningScript, script, trunkline } from '../../support/command.ts'
import { observations } from './observations.ts'

const here = 'test/interop/shop'

const pairs = [
  { server: 'grpc-js', client: 'grpc-js' },
  { server: 'trunkline', client: 'grpc-js' },
  { server: 'grpc-js', client: 'trunkline' },
  { server: 'trunkline', client: 'trunkline' },
]

for (const { server, client } of pairs) {
  for (const secure of [false, true]) {
    const how = `a shop by ${server}, a client by ${client}, over ${secure ? 'TLS' : 'plaintext'}`
    const { cert, key } = certificate()

    test(how, async (t) => {
      const serverTls: Record<string, string> = secure ? { TLS_CERT: cert, TLS_KEY: key } : {}
      await using running = runningScript(`${here}/${server}/server.ts`, [], { env: serverTls })
      const address = `127.0.0.1:${await running.line()}`

      const clientTls: Record<string, string> = secure ? { TLS_CA: cert } : {}
      const { stdout, stderr, code } = await script(`${here}/${client}/client.ts`, [address], {
        env: clientTls,
      })
      assert.deepEqual([stderr, code], ['', 0])
      const seen = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
      assert.equal(seen.length, observations.length)

      for (const [index, { what, expected }] of observations.entries()) {
        await t.test(what, () => assert.deepEqual(seen[index], { what, saw: expected }))
      }
    })
  }
}

test('the contract is what trunkline import proto writes', async () => {
  using made = folder({})
  const { code } = await trunkline(['import', 'proto', join(root, here, 'shop.proto'), '--out', made.path])
  assert.equal(code, 0)
  const written = (file: string) => readFileSync(join(made.path, file), 'utf8')
  const kept = (file: string) => readFileSync(join(root, here, 'trunkline', file), 'utf8')
  assert.equal(kept('shop.contract.ts'), written('shop.contract.ts'))
  assert.deepEqual(JSON.parse(kept('trunkline.lock.json')), JSON.parse(written('trunkline.lock.json')))
})
