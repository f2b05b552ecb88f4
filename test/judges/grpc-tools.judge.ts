// grpcurl and ghz, which know nothing of a server but what its reflection says.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  CallError,
  call,
  connectTo,
  contract,
  describeServer,
  fault,
  implement,
  serve,
  stream,
} from 'trunkline'
import { grpc } from 'trunkline/wires'
import * as z from 'zod'
import { ghz, goReflectionServer, grpcurl } from '../../scripts/judges.ts'
import { certificate } from '../support/certificate.ts'
import { quiet } from '../support/quiet-log.ts'
import { needs } from '../support/require.ts'
import { type ProgramResult, runProgram, startProgram } from '../support/run-program.ts'

const Line = z.object({ sku: z.string(), quantity: z.int32().min(1) })
const Order = z.object({ id: z.string(), lines: z.array(Line), placedAt: z.date() }).meta({ id: 'Order' })

const Orders = contract('acme.orders.v1', {
  place: call({
    input: z.object({ lines: z.array(Line) }),
    output: Order,
    faults: { outOfStock: fault('failed_precondition', z.object({ left: z.int32() })) },
  }),
  watch: call({ input: z.object({ count: z.int32() }), output: stream(Order) }),
  count: call({ input: stream(Line), output: z.object({ count: z.int32() }) }),
})

const orders = () =>
  implement(Orders, {
    place({ lines }, ctx) {
      if (lines.length === 0) throw ctx.fault.outOfStock({ left: 3 })
      if (lines[0]?.sku === 'gone') throw new CallError('not_found', 'no such sku')
      return { id: 'o-1', lines, placedAt: new Date(0) }
    },
    async *watch({ count }) {
      for (let n = 0; n < count; n++) yield { id: `o-${n}`, lines: [], placedAt: new Date(0) }
    },
    async count(lines) {
      let count = 0
      for await (const _ of lines) count++
      return { count }
    },
  })

const service = 'acme.orders.v1.Orders'

test('grpcurl lists, describes and calls a server by its reflection', async (t) => {
  const program = await needs(t, grpcurl)
  if (program === undefined) return
  await using server = await serve(orders(), { port: 0, log: quiet })
  const ask = (...words: readonly string[]) => runProgram(program, ['-plaintext', ...words])
  const address = `127.0.0.1:${server.port}`
  const output = async (answer: Promise<ProgramResult>) => {
    const { code, output: text } = await answer
    assert.equal(code, 0, text)
    return text
  }

  await t.test('list', async () => {
    const names = (await output(ask(address, 'list'))).trim().split('\n')
    assert.deepEqual(names, [
      service,
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
      'grpc.reflection.v1alpha.ServerReflection',
    ])
    const methods = await output(ask(address, 'list', service))
    assert.deepEqual(methods.trim().split('\n'), [`${service}.Count`, `${service}.Place`, `${service}.Watch`])
  })

  await t.test('describe', async () => {
    const text = await output(ask(address, 'describe', service))
    assert.match(
      text,
      /rpc Watch \( \.acme\.orders\.v1\.WatchRequest \) returns \( stream \.acme\.orders\.v1\.Order \)/,
    )
    const message = await output(ask(address, 'describe', 'acme.orders.v1.Order'))
    assert.match(message, /\.google\.protobuf\.Timestamp placed_at = 3;/)
    const whole = await output(ask(address, 'describe'))
    assert.match(whole, /service Health/)
  })

  await t.test('a unary call', async () => {
    const input = '{"lines":[{"sku":"A1","quantity":2}]}'
    const answer: unknown = JSON.parse(await output(ask('-d', input, address, `${service}/Place`)))
    assert.deepEqual(answer, {
      id: 'o-1',
      lines: [{ sku: 'A1', quantity: 2 }],
      placedAt: '1970-01-01T00:00:00Z',
    })
  })

  await t.test('streams in either direction', async () => {
    const watched = await output(ask('-d', '{"count":3}', address, `${service}/Watch`))
    assert.equal(watched.match(/"id": "o-\d"/g)?.length, 3)
    const lines = '{"sku":"a","quantity":1}{"sku":"b","quantity":1}'
    assert.match(await output(ask('-d', lines, address, `${service}/Count`)), /"count": 2/)
  })

  await t.test('errors and their details', async () => {
    const failed = await ask('-d', '{"lines":[{"sku":"gone","quantity":1}]}', address, `${service}/Place`)
    assert.match(failed.output, /Code: NotFound\s+Message: no such sku/)

    const invalid = await ask('-d', '{"lines":[{"sku":"a","quantity":0}]}', address, `${service}/Place`)
    assert.match(invalid.output, /Code: InvalidArgument/)
    assert.match(invalid.output, /google\.rpc\.BadRequest/)
    assert.match(invalid.output, /"field": "lines\[0\]\.quantity"/)

    const declared = await ask('-d', '{}', address, `${service}/Place`)
    assert.match(declared.output, /Code: FailedPrecondition/)
    assert.match(declared.output, /"reason": "OUT_OF_STOCK"/)
    assert.match(declared.output, /"domain": "acme\.orders\.v1"/)
    assert.match(declared.output, /acme\.orders\.v1\.PlaceOutOfStock/)
    assert.match(declared.output, /"left": 3/)
  })

  await t.test('health', async () => {
    const health = 'grpc.health.v1.Health'
    assert.match(await output(ask(address, `${health}/Check`)), /"status": "SERVING"/)
    assert.match(
      await output(ask('-d', `{"service":"${service}"}`, address, `${health}/Check`)),
      /"status": "SERVING"/,
    )
    const unknown = await ask('-d', '{"service":"acme.Other"}', address, `${health}/Check`)
    assert.match(unknown.output, /Code: NotFound/)
    // It would go on for ever: the time-out ends it after the first message.
    const watched = await ask('-max-time', '1', address, `${health}/Watch`)
    assert.match(watched.output, /"status": "SERVING"/)
    assert.match(watched.output, /DeadlineExceeded/)
  })

  await t.test('a server that does not describe itself says so', async () => {
    await using silent = await serve(orders(), { port: 0, log: quiet, wires: [grpc({ reflection: false })] })
    const { output: text } = await ask(`127.0.0.1:${silent.port}`, 'list')
    assert.match(text, /does not support the reflection API/)
  })
})

test('grpcurl calls a server over TLS', async (t) => {
  const program = await needs(t, grpcurl)
  if (program === undefined) return
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-grpc-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'ca.pem')
  writeFileSync(file, certificate().cert)

  await using server = await serve(orders(), { port: 0, log: quiet, tls: certificate() })
  const words = ['-cacert', file, '-authority', 'localhost', '-d', '{"count":2}']
  const { code, output } = await runProgram(program, [
    ...words,
    `127.0.0.1:${server.port}`,
    `${service}/Watch`,
  ])
  assert.equal(code, 0, output)
  assert.equal(output.match(/"id"/g)?.length, 2)
})

test('ghz gets an answer to each of its calls', async (t) => {
  const program = await needs(t, ghz)
  if (program === undefined) return
  await using server = await serve(orders(), { port: 0, log: quiet })
  const load = ['--total=5000', '--concurrency=50', '--connections=5', '--format=json']
  const data = ['--data={"lines":[{"sku":"A1","quantity":2}]}']
  const { code, output } = await runProgram(program, [
    '--insecure',
    `--call=${service}.Place`,
    ...data,
    ...load,
    `127.0.0.1:${server.port}`,
  ])
  assert.equal(code, 0, output)
  const report = JSON.parse(output) as { statusCodeDistribution: unknown; errorDistribution: unknown }
  assert.deepEqual(report.statusCodeDistribution, { OK: 5_000 })
  assert.deepEqual(report.errorDistribution, {})
})

test('a server in Go is called by its reflection, without a contract', async (t) => {
  const program = await needs(t, goReflectionServer)
  if (program === undefined) return
  await using server = startProgram(program, [])
  const url = `grpc://127.0.0.1:${await server.line()}`

  const contracts = await describeServer(url)
  assert.deepEqual(
    contracts.map(({ name, grpcService }) => [name, grpcService]),
    [['helloworld.greeter', 'helloworld.Greeter']],
  )
  const [greeter] = contracts
  await using client = connectTo(greeter as NonNullable<typeof greeter>, url, { log: quiet })
  assert.deepEqual(await client.call('sayHello', { name: 'Ada' }), { message: 'Hello Ada' })
  await assert.rejects(
    client.call('sayHello', { name: '' }),
    (error: unknown) => CallError.is(error) && error.message === 'a greeting needs a name',
  )
})
