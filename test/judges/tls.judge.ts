// sslyze, openssl and curl as clients of our TLS, with certificates of both kinds. The authority is the test's own and the
// judges are told to trust it, so whatever they find is the server's.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { DEFAULT_CIPHERS } from 'node:tls'
import { type ServeOptions, type Server, call, contract, implement, serve } from 'trunkline'
import * as z from 'zod'
import { curl, openssl, sslyze } from '../../scripts/judges.ts'
import { authority } from '../support/authority.ts'
import { quiet } from '../support/quiet-log.ts'
import { needs } from '../support/require.ts'

const Whoami = contract('test.judged.v1', {
  ask: call({ output: z.object({ id: z.string() }), rest: 'GET /ask' }),
})
const whoami = implement(Whoami, { ask: (_, ctx) => ({ id: ctx.principal?.id ?? 'nobody' }) })

const localhost = { commonName: 'localhost', names: [{ type: 'dns', value: 'localhost' } as const] }
const kinds = ['ECDSA', 'RSA'] as const
const roots = { ECDSA: await authority('ECDSA Root'), RSA: await authority('RSA Root', { kind: 'RSA' }) }

const serving = async (kind: (typeof kinds)[number], tls: ServeOptions['tls'] = {}): Promise<Server> =>
  serve(whoami, { port: 0, log: quiet, tls: { ...(await roots[kind].issue(localhost)), ...tls } })

/** A folder with these files, for the time of a test. */
function files(t: TestContext, texts: Readonly<Record<string, string>>): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-tls-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text)
  return (name) => join(folder, name)
}

interface Ended {
  readonly code: number | null
  readonly output: string
}

/** Runs a judge to its end, with this on its stdin; `until`: its stdin stays open until that was printed. */
function judged(
  program: string,
  words: readonly string[],
  { stdin = '', until }: { readonly stdin?: string; readonly until?: RegExp } = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words)
    let output = ''
    const heard = (piece: Buffer) => {
      output += piece.toString()
      if (until?.test(output) === true) child.stdin.end()
    }
    child.stdout.on('data', heard)
    child.stderr.on('data', heard)
    child.stdin.on('error', () => undefined)
    child.stdin.write(stdin)
    if (until === undefined) child.stdin.end()
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, output }))
  })
}

function scan(program: string, { port }: Server, at: (name: string) => string): Promise<Ended> {
  const words = [
    '--mozilla_config',
    'intermediate',
    '--certinfo_ca_file',
    at('ca.pem'),
    '--json_out',
    at('out'),
  ]
  return judged(program, [...words, `localhost:${port}{127.0.0.1}`])
}

/** What is not as the profile wants it, by sslyze's names. */
function complaintsIn(output: string): readonly string[] {
  return [...output.matchAll(/^ {8}\* (?<what>\w+): /gm)].map((found) => String(found.groups?.['what']))
}

for (const kind of kinds) {
  test(`sslyze finds Mozilla's intermediate profile kept, with a certificate of ${kind}`, async (t) => {
    const program = await needs(t, sslyze)
    if (program === undefined) return
    await using server = await serving(kind)
    const at = files(t, { 'ca.pem': roots[kind].cert })

    const { code, output } = await scan(program, server, at)
    assert.deepEqual(complaintsIn(output), [], output)
    assert.match(output, /OK - Compliant/, output)
    assert.equal(code, 0, output)

    const [scanned] = JSON.parse(readFileSync(at('out'), 'utf8')).server_scan_results
    const suites = (version: string) =>
      scanned.scan_result[`${version}_cipher_suites`].result.accepted_cipher_suites.length
    const versions = ['ssl_2_0', 'ssl_3_0', 'tls_1_0', 'tls_1_1', 'tls_1_2', 'tls_1_3']
    assert.deepEqual(versions.map(suites), [0, 0, 0, 0, 3, 3])
  })
}

test('sslyze finds what Node would have allowed by itself', async (t) => {
  const program = await needs(t, sslyze)
  if (program === undefined) return
  await using server = await serving('RSA', { ciphers: DEFAULT_CIPHERS, ecdhCurve: 'X25519:secp521r1' })
  const { code, output } = await scan(program, server, files(t, { 'ca.pem': roots.RSA.cert }))
  assert.deepEqual(complaintsIn(output), ['ciphers', 'tls_curves'], output)
  assert.equal(code, 1)
})

test('openssl is shown the certificate of the name that it asks for', async (t) => {
  const program = await needs(t, openssl)
  if (program === undefined) return
  const names = ['one.example', '*.shop.example'].map((value) => ({
    names: [{ type: 'dns', value } as const],
  }))
  const [one, any] = await Promise.all(names.map((subject) => roots.RSA.issue(subject)))
  assert.ok(one !== undefined && any !== undefined)
  await using server = await serving('ECDSA', { serverNames: { 'one.example': one, '*.shop.example': any } })
  const at = files(t, { 'ca.pem': `${roots.ECDSA.cert}\n${roots.RSA.cert}` })

  const connecting = ['s_client', '-connect', `127.0.0.1:${server.port}`, '-CAfile', at('ca.pem')]
  for (const [name, shown] of [
    ['one.example', 'one.example'],
    ['two.shop.example', '*.shop.example'],
    ['localhost', 'localhost'],
  ] as const) {
    const verified = ['-servername', name, '-verify_hostname', name, '-verify_return_error']
    const { code, output } = await judged(program, [...connecting, ...verified])
    assert.equal(code, 0, `${shown}: ${output}`)
    assert.match(output, /Verification: OK/)
    assert.ok(output.includes(`Verified peername: ${shown}`), output)
  }
})

test('openssl and we agree by ALPN, trunk/1 before h2 before http/1.1, or not at all', async (t) => {
  const program = await needs(t, openssl)
  if (program === undefined) return
  await using server = await serving('ECDSA')
  const connecting = ['s_client', '-connect', `127.0.0.1:${server.port}`]
  for (const [offer, chosen] of [
    ['http/1.1,h2,trunk/1', 'ALPN protocol: trunk/1'],
    ['http/1.1,h2', 'ALPN protocol: h2'],
    ['spdy/3,http/1.1', 'ALPN protocol: http/1.1'],
    ['spdy/3', 'no application protocol'],
  ] as const) {
    const { output } = await judged(program, [...connecting, '-alpn', offer])
    assert.ok(output.includes(chosen), output)
  }
})

for (const version of ['tls1_2', 'tls1_3']) {
  test(`openssl resumes its session with another server that has the same ticket keys, with ${version}`, async (t) => {
    const program = await needs(t, openssl)
    if (program === undefined) return
    const ticketKeys = Buffer.alloc(48, 7)
    await using first = await serving('ECDSA', { ticketKeys })
    await using second = await serving('ECDSA', { ticketKeys })
    const at = files(t, {})
    const request = {
      stdin: 'GET /ask HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n',
      until: /"nobody"/,
    }
    const to = ({ port }: Server) => [
      's_client',
      '-connect',
      `127.0.0.1:${port}`,
      '-servername',
      'localhost',
      `-${version}`,
    ]

    const fresh = await judged(program, [...to(first), '-sess_out', at('session')], request)
    assert.match(fresh.output, /^New, TLSv1/m)
    const resumed = await judged(program, [...to(second), '-sess_in', at('session')], request)
    assert.match(resumed.output, /^Reused, TLSv1/m)
    assert.match(resumed.output, /"nobody"/)
  })
}

test('openssl is refused what is older than TLS 1.2, has no forward secrecy, or renegotiates', async (t) => {
  const program = await needs(t, openssl)
  if (program === undefined) return
  await using server = await serving('RSA')
  const connecting = ['s_client', '-connect', `127.0.0.1:${server.port}`]
  for (const words of [
    ['-tls1', '-cipher', 'ALL:@SECLEVEL=0'],
    ['-tls1_1', '-cipher', 'ALL:@SECLEVEL=0'],
    ['-tls1_2', '-cipher', 'AES128-GCM-SHA256:AES256-SHA256'],
    ['-tls1_2', '-cipher', 'ECDHE-RSA-AES128-SHA256'],
  ]) {
    const { code, output } = await judged(program, [...connecting, ...words])
    assert.equal(code, 1, output)
    assert.match(output, /alert (protocol version|handshake failure)/, words.join(' '))
  }
  // A line with R alone renegotiates.
  const { output } = await judged(program, [...connecting, '-tls1_2'], {
    stdin: 'R\n',
    until: /RENEGOTIATING/,
  })
  assert.match(output, /no renegotiation/, output)
})

for (const kind of kinds) {
  test(`curl speaks http/1.1 and h2 with us over TLS 1.2 and 1.3, with certificates of ${kind} on both sides`, async (t) => {
    const program = await needs(t, curl)
    if (program === undefined) return
    const client = await roots[kind].issue({ commonName: 'curl' })
    const at = files(t, { 'ca.pem': roots[kind].cert, 'cert.pem': client.cert, 'key.pem': client.key })
    await using server = await serving(kind, { clientCa: roots[kind].cert, clientCertificate: 'optional' })

    const url = `https://localhost:${server.port}/ask`
    const usual = [
      '--silent',
      '--show-error',
      '--cacert',
      at('ca.pem'),
      '--resolve',
      `localhost:${server.port}:127.0.0.1`,
    ]
    const shown = ['--cert', at('cert.pem'), '--key', at('key.pem')]
    for (const tls of ['1.2', '1.3']) {
      for (const [http, version] of [
        ['--http1.1', '1.1'],
        ['--http2', '2'],
      ] as const) {
        const asked = [
          ...usual,
          `--tlsv${tls}`,
          '--tls-max',
          tls,
          http,
          '--write-out',
          ' %{http_version}',
          url,
        ]
        assert.deepEqual(await judged(program, asked), { code: 0, output: `{"id":"nobody"} ${version}` })
        const known = await judged(program, [...shown, ...asked])
        assert.deepEqual(known, { code: 0, output: `{"id":"subject:curl"} ${version}` })
      }
    }

    const plain = await judged(program, ['--silent', `http://127.0.0.1:${server.port}/ask`])
    assert.match(plain.output, /the server speaks TLS there.*write https:\/\//)
  })
}
