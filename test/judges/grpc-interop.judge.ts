// gRPC's interoperability tests with grpc-go on the other side: its client against our server, ours against its server.
// What each case asserts: doc/interop-test-descriptions.md of grpc/grpc.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { CallError, type Client, type ReplyHead, connect, serve } from 'trunkline'
import { grpcGoClient, grpcGoServer } from '../../scripts/judges.ts'
import { TestService, UnimplementedService } from '../contracts/grpc-testing.ts'
import { certificate } from '../support/certificate.ts'
import { echoInitial, echoTrailing, testService } from '../support/grpc-testing-service.ts'
import { quiet } from '../support/quiet-log.ts'
import { needs } from '../support/require.ts'
import { freePort, runProgram, runServer } from '../support/run-program.ts'

type Connected = Client<typeof TestService>

interface There {
  readonly client: Connected
  readonly unimplemented: Client<typeof UnimplementedService>
  /** Another client of the same server. */
  another(): Connected & AsyncDisposable
}

const payload = (size: number) => ({ type: 'COMPRESSABLE' as const, body: new Uint8Array(size) })
const sizeOf = (answer: { payload?: { body: Uint8Array } | undefined }) => answer.payload?.body.length
const coded = (code: CallError['code'], message?: string) => (error: unknown) => {
  assert.ok(CallError.is(error), String(error))
  assert.equal(error.code, code)
  if (message !== undefined) assert.equal(error.message, message)
  return true
}

async function largeUnary(client: Connected): Promise<void> {
  const answer = await client.unaryCall({ responseSize: 314_159, payload: payload(271_828) })
  assert.equal(sizeOf(answer), 314_159)
}

const requestSizes = [27_182, 8, 1_828, 45_904]
const responseSizes = [31_415, 9, 2_653, 58_979]

/** Requests that are sent one by one, each when the answer to the last has come. */
function turns() {
  let go = Promise.withResolvers<boolean>()
  async function* requests() {
    for (let turn = 0; turn < responseSizes.length && (await go.promise); turn++) {
      go = Promise.withResolvers()
      yield {
        responseParameters: [{ size: responseSizes[turn] }],
        payload: payload(requestSizes[turn] as number),
      }
    }
  }
  return { requests: requests(), next: (more: boolean) => go.resolve(more) }
}

const specialMessage = '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n'

/** The cases by their names, for our client. */
const cases: Readonly<Record<string, (there: There) => Promise<void>>> = {
  async empty_unary({ client }) {
    assert.deepEqual(await client.emptyCall({}), {})
  },
  large_unary: ({ client }) => largeUnary(client),
  async client_streaming({ client }) {
    const answer = await client.streamingInputCall(requestSizes.map((size) => ({ payload: payload(size) })))
    assert.equal(answer.aggregatedPayloadSize, 74_922)
  },
  async server_streaming({ client }) {
    const sizes: (number | undefined)[] = []
    const responseParameters = responseSizes.map((size) => ({ size }))
    for await (const answer of client.streamingOutputCall({ responseParameters })) sizes.push(sizeOf(answer))
    assert.deepEqual(sizes, responseSizes)
  },
  async ping_pong({ client }) {
    const { requests, next } = turns()
    const sizes: (number | undefined)[] = []
    next(true)
    for await (const answer of client.fullDuplexCall(requests)) {
      sizes.push(sizeOf(answer))
      next(true)
    }
    assert.deepEqual(sizes, responseSizes)
  },
  async empty_stream({ client }) {
    for await (const _ of client.fullDuplexCall([])) assert.fail('an answer to nothing')
  },
  async timeout_on_sleeping_server({ client }) {
    async function* once() {
      yield { responseParameters: [{ size: 31_415, intervalUs: 1_000_000 }], payload: payload(27_182) }
      await new Promise(() => {})
    }
    const read = async () => {
      for await (const _ of client.fullDuplexCall(once(), { timeout: 50 })) assert.fail('it sleeps')
    }
    await assert.rejects(read(), coded('deadline_exceeded'))
  },
  async cancel_after_begin({ client }) {
    const controller = new AbortController()
    async function* never() {
      yield* await new Promise<never[]>(() => {})
    }
    const call = client.streamingInputCall(never(), { signal: controller.signal })
    setImmediate(() => controller.abort())
    await assert.rejects(call, coded('canceled'))
  },
  async cancel_after_first_response({ client }) {
    const controller = new AbortController()
    const { requests, next } = turns()
    next(true)
    const read = async () => {
      for await (const answer of client.fullDuplexCall(requests, { signal: controller.signal })) {
        assert.equal(sizeOf(answer), 31_415)
        controller.abort()
      }
    }
    await assert.rejects(read(), coded('canceled'))
  },
  async status_code_and_message({ client }) {
    const responseStatus = { code: 2, message: 'test status message' }
    await assert.rejects(client.unaryCall({ responseStatus }), coded('unknown', 'test status message'))
    const read = async () => {
      for await (const _ of client.fullDuplexCall([{ responseParameters: [], responseStatus }]))
        assert.fail('an answer')
    }
    await assert.rejects(read(), coded('unknown', 'test status message'))
  },
  async special_status_message({ client }) {
    const responseStatus = { code: 2, message: specialMessage }
    await assert.rejects(client.unaryCall({ responseStatus }), coded('unknown', specialMessage))
  },
  async custom_metadata({ client }) {
    const metadata = {
      [echoInitial]: 'test_initial_metadata_value',
      [echoTrailing]: Uint8Array.of(0xab, 0xab, 0xab),
    }
    const check = async ({ metadata: initial, trailers }: ReplyHead) => {
      assert.equal(initial.get(echoInitial), metadata[echoInitial])
      assert.deepEqual((await trailers).get(echoTrailing), metadata[echoTrailing])
    }

    const unary = Promise.withResolvers<ReplyHead>()
    await client.unaryCall(
      { responseSize: 314_159, payload: payload(271_828) },
      { metadata, onReply: (head) => unary.resolve(head) },
    )
    await check(await unary.promise)

    const streamed = Promise.withResolvers<ReplyHead>()
    const request = { responseParameters: [{ size: 314_159 }], payload: payload(271_828) }
    const options = { metadata, onReply: (head: ReplyHead) => streamed.resolve(head) }
    for await (const answer of client.fullDuplexCall([request], options))
      assert.equal(sizeOf(answer), 314_159)
    await check(await streamed.promise)
  },
  async unimplemented_method({ client }) {
    await assert.rejects(client.unimplementedCall({}), coded('unimplemented'))
  },
  async unimplemented_service({ unimplemented }) {
    await assert.rejects(unimplemented.unimplementedCall({}), coded('unimplemented'))
  },
  async pick_first_unary({ client }) {
    for (let i = 0; i < 20; i++) await client.unaryCall({ fillServerId: true })
  },
  async rpc_soak({ client }) {
    for (let i = 0; i < 20; i++) await largeUnary(client)
  },
  async channel_soak({ another }) {
    for (let i = 0; i < 10; i++) {
      await using client = another()
      await largeUnary(client)
    }
  },
}

const folder = mkdtempSync(join(tmpdir(), 'trunkline-grpc-'))
const keyFile = join(folder, 'key.pem')
const certFile = join(folder, 'cert.pem')
writeFileSync(keyFile, certificate().key)
writeFileSync(certFile, certificate().cert)
process.once('exit', () => rmSync(folder, { recursive: true }))

for (const secure of [false, true]) {
  const over = secure ? 'TLS' : 'plaintext'

  test(`grpc-go's interop client passes every case against our server, over ${over}`, async (t) => {
    const program = await needs(t, grpcGoClient)
    if (program === undefined) return
    await using server = await serve(testService(), {
      port: 0,
      log: quiet,
      ...(secure ? { tls: certificate() } : {}),
    })
    const tls = secure
      ? ['--use_tls', '--use_test_ca', `--ca_file=${certFile}`, '--server_host_override=localhost']
      : []

    for (const name of Object.keys(cases)) {
      await t.test(name, async () => {
        const { code, output } = await runProgram(program, [
          '--server_host=127.0.0.1',
          `--server_port=${server.port}`,
          `--test_case=${name}`,
          ...tls,
        ])
        assert.equal(code, 0, output)
      })
    }
  })

  test(`our client passes every interop case against grpc-go's server, over ${over}`, async (t) => {
    const program = await needs(t, grpcGoServer)
    if (program === undefined) return
    const port = await freePort()
    const tls = secure ? ['--use_tls', `--tls_cert_file=${certFile}`, `--tls_key_file=${keyFile}`] : []
    await using _server = await runServer(program, [`--port=${port}`, ...tls], port)

    const url = `${secure ? 'grpcs' : 'grpc'}://127.0.0.1:${port}`
    const options = {
      log: quiet,
      ...(secure ? { tls: { ca: certificate().cert, servername: 'localhost' } } : {}),
    }
    await using client = connect(TestService, url, options)
    await using unimplemented = connect(UnimplementedService, url, options)
    const another = () => connect(TestService, url, options)

    for (const [name, run] of Object.entries(cases)) {
      await t.test(name, () => run({ client, unimplemented, another }))
    }
  })
}
