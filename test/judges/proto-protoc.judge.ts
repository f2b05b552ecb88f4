// protoc compiles what `trunkline export proto` writes, and its descriptors are ours.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { create, createFileRegistry, fromBinary, toBinary } from '@bufbuild/protobuf'
import {
  type FileDescriptorProto,
  type FileDescriptorSet,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt'
import * as fc from 'fast-check'
import * as z from 'zod'
import { type ContractInfo, call, contract, contractInfo } from 'trunkline'
import { type ProtoText, contractFromProto, exportProto, reflectedFiles } from 'trunkline/wires'
import { Orders } from '../../examples/orders/contract.ts'
import { protoc } from '../../scripts/judges.ts'
import { compileProtobuf } from '../../src/codec/protobuf/compile.ts'
import { Writer } from '../../src/codec/writer.ts'
import { contractFromDescriptorSet } from '../../src/wires/grpc/proto/reflection.ts'
import { carriableObject } from '../arbitrary/zod.ts'
import { TestService } from '../contracts/grpc-testing.ts'
import { readSample, samples } from '../proto/samples.ts'
import { needs } from '../support/require.ts'

/** Compiles files with protoc; the descriptors of all that they import are in the set. */
function compile(
  t: TestContext,
  program: string,
  files: readonly Pick<ProtoText, 'path' | 'text'>[],
): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-protoc-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const { path, text } of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }

  const paths = files.map(({ path }) => path)
  const { status, stdout, stderr } = spawnSync(
    program,
    [`-I${folder}`, '--include_imports', `--descriptor_set_out=${join(folder, 'set')}`, ...paths],
    { cwd: folder, encoding: 'utf8' },
  )
  assert.equal(status, 0, `${stdout}${stderr}\n${files.map(({ text }) => text).join('\n')}`)
  const warnings = stderr
    .split('\n')
    .filter((line) => /WARNING|warning|W0000/.test(line) && !/absl|No edition/.test(line))
  assert.deepEqual(warnings, [])
  return readFileSync(join(folder, 'set'))
}

/** The files of a set, without what reflection leaves out: google.api.http, and the import that it needs. */
function filesOf(files: readonly FileDescriptorProto[]): Map<string, FileDescriptorProto> {
  const own = files.filter(({ name }) => !name.startsWith('google/'))

  for (const file of own) {
    file.dependency = file.dependency.filter((path) => !path.startsWith('google/api/'))
    for (const method of file.service.flatMap((service) => service.method)) {
      delete method.options?.$unknown
      const { deprecated, idempotencyLevel } = method.options ?? {}
      if (deprecated !== true && !idempotencyLevel) delete method.options
    }
  }
  return new Map(own.map((file) => [file.name, file]))
}

const Ask = contract('acme.ask.v1', {
  ask: call({
    input: z.object({
      must: z.int32().meta({ presence: 'required' }),
      may: z.int32().optional(),
      plain: z.int32(),
      list: z.array(z.int32()).meta({ packed: false }),
    }),
  }),
})

test('protoc accepts what contracts are written as, and finds in it what our descriptors say', async (t) => {
  const program = await needs(t, protoc)
  if (program === undefined) return

  for (const info of [contractInfo(Orders), contractInfo(TestService), contractInfo(Ask)]) {
    const set: FileDescriptorSet = fromBinary(
      FileDescriptorSetSchema,
      compile(t, program, exportProto([info])),
    )
    const ours = reflectedFiles([info]).map(({ bytes }) => fromBinary(FileDescriptorProtoSchema, bytes))

    if (info.name === 'acme.ask.v1') {
      // protoc writes features of the file, we write them on each field: what counts is what they come to.
      const fields: unknown[] = [set.file, ours].map((file) =>
        createFileRegistry(create(FileDescriptorSetSchema, { file: [...file] }))
          .getMessage('acme.ask.v1.AskRequest')
          ?.fields.map(({ name, number, presence, proto }) => [name, number, presence, proto.type]),
      )
      assert.deepEqual(fields[1], fields[0])
    } else {
      assert.deepEqual(filesOf(ours), filesOf(set.file), info.name)
    }
  }
})

test('protoc reads the samples as we do', async (t) => {
  const program = await needs(t, protoc)
  if (program === undefined) return

  const { 'google/api/http.proto': http, 'google/api/annotations.proto': annotations } = Object.fromEntries(
    exportProto([contractInfo(Orders)]).map(({ path, text }) => [path, text]),
  )
  // Options of nobody are refused by protoc, which looks them up.
  const plain = Object.entries(samples).map(([path, text]) => ({
    path,
    text: text.replace(/^ *option \((?:acme|google\.api\.default).*\n/gm, ''),
  }))
  const set = compile(t, program, [
    ...plain,
    { path: 'google/api/http.proto', text: http as string },
    { path: 'google/api/annotations.proto', text: annotations as string },
  ])

  for (const [path, service] of [
    ['acme/shop/v1/shop.proto', 'acme.shop.v1.Shop'],
    ['acme/old/old.proto', 'acme.old.Old'],
    ['acme/new/new.proto', 'acme.new.New'],
  ] as const) {
    const ours = contractFromProto(path, service, readSample)
    const compiled = contractFromDescriptorSet(set, service)
    assert.deepEqual(withoutWords(compiled), withoutWords(ours), path)
  }
})

/** Descriptors that were compiled have no comments, and no options of others. */
function withoutWords({ types }: ContractInfo): unknown {
  return JSON.parse(JSON.stringify(types, (key, value: unknown) => (key === 'doc' ? undefined : value)))
}

test('what the codec writes is read by what protoc makes of the file, and the other way round', async (t) => {
  const program = await needs(t, protoc)
  if (program === undefined) return

  // Each run of protoc takes a while, so that it gets many contracts at once.
  const cases = fc.sample(
    carriableObject().chain(({ schema, value }) =>
      fc.tuple(fc.constant(schema), fc.array(value, { minLength: 3 })),
    ),
    60,
  )
  const infos = cases.map(([schema], index) =>
    contractInfo(contract(`acme.judged${index}.v1`, { judge: call({ input: schema }) })),
  )
  const set = compile(
    t,
    program,
    infos.flatMap((info) => exportProto([info])),
  )
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, set))

  for (const [index, info] of infos.entries()) {
    const operation = info.operations.get('judge')
    assert.ok(operation?.kind === 'call' && operation.input !== undefined)
    const message = registry.getService(info.grpcService)?.methods[0]?.input
    assert.ok(message)
    const codec = compileProtobuf(operation.input.schema)

    for (const value of cases[index]?.[1] ?? []) {
      const writer = new Writer(64)
      codec.encode(value, writer)
      const bytes = writer.copy()
      const known = fromBinary(message, bytes, { readUnknownFields: false })
      const theirs: Buffer = Buffer.from(toBinary(message, known))
      assert.equal(theirs.length, bytes.length)
      assert.deepEqual(codec.decode(theirs, 0, theirs.length), codec.decode(bytes, 0, bytes.length))
    }
  }
})
