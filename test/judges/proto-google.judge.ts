// Google's own .proto files, all of them: every service is imported, exported and compared; protoc says what the files mean.
// The figures are in docs/conformance.md; TRUNKLINE_WRITE=docs renews them.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { contractInfo, isContract } from 'trunkline'
import { exportProto, importProto } from 'trunkline/wires'
import { googleProtoFiles, protoc } from '../../scripts/judges.ts'
import { decodeFileSet } from '../../src/wires/grpc/proto/decode-descriptor.ts'
import { ProtoError } from '../../src/wires/grpc/proto/error.ts'
import { createLoader, declarationsOf, loaderOf } from '../../src/wires/grpc/proto/load.ts'
import { parseProtoFile } from '../../src/wires/grpc/proto/parse.ts'
import { serviceToContract, servicesToContracts } from '../../src/wires/grpc/proto/to-contract.ts'
import { corpusOf, roundTrip, servicesOf } from '../proto/corpus.ts'
import { root } from '../support/command.ts'
import { needs } from '../support/require.ts'

const page = join(root, 'docs/conformance.md')
const heading = '## .proto files'

test('of Google’s services at least 90 % import, and are exported as they were', async (t) => {
  const folder = await needs(t, googleProtoFiles)
  if (folder === undefined) return

  const corpus = corpusOf(folder)
  const noted = new Map<string, number>()
  const rest = new Map<string, string[]>()
  const count = { files: corpus.all.length, parsed: 0, services: 0, methods: 0, imported: 0, identical: 0 }

  for (const path of corpus.all) {
    try {
      parseProtoFile(path, corpus.read(path) ?? '')
      count.parsed += 1
    } catch (error) {
      assert.ok(error instanceof ProtoError, String(error))
      assert.match(error.message, /edition "2026" is not known here/)
    }
  }

  for (const path of corpus.paths) {
    const { declarations, services } = servicesOf(corpus, path)
    for (const service of services) {
      count.services += 1
      count.methods += service.methods.length
      const fails = (why: string): number => rest.set(why, [...(rest.get(why) ?? []), service.name]).size

      try {
        const imported = serviceToContract(declarations, service)
        count.imported += 1
        const { differences, sameDigest } = roundTrip(declarations, service, imported)
        for (const { construct } of imported.notes) noted.set(construct, (noted.get(construct) ?? 0) + 1)

        if (differences.length === 0) {
          assert.ok(sameDigest, service.name)
          count.identical += 1
        } else for (const what of new Set(differences.map((one) => one.what))) fails(what)
      } catch (error) {
        fails((error as Error).name === 'ProtoConflict' ? 'packages that need each other' : String(error))
      }
    }
  }

  const text = section(count, noted, rest)
  if (process.env['TRUNKLINE_WRITE'] === 'docs') write(text)
  assert.ok(count.imported >= 0.9 * count.services, text)
  assert.ok(count.identical >= 0.9 * count.services, text)
  assert.ok(
    readFileSync(page, 'utf8').includes(text),
    `renew docs/conformance.md with TRUNKLINE_WRITE=docs:\n${text}`,
  )
})

function section(
  count: Readonly<Record<string, number>>,
  noted: ReadonlyMap<string, number>,
  rest: ReadonlyMap<string, readonly string[]>,
): string {
  const share = (part: number): string => `${((100 * part) / (count['services'] ?? 1)).toFixed(2)} %`
  const { files, parsed = 0, services = 0, methods, imported = 0, identical = 0 } = count
  const sorted = [...noted].toSorted(([one], [other]) => (one < other ? -1 : 1))

  return `${heading}

\`npm run test:all -- test/judges/proto-google.judge.ts\`: npm \`google-proto-files\` 5.0.3. Each service becomes a contract, the
contract a .proto file, and that is read again; names, numbers, types, cardinality, presence, packing, oneofs and methods of all
that can be reached are compared. protoc's descriptors of the same files give the same contracts.

| | |
| --- | ---: |
| files | ${files} |
| read (the others are of edition 2026) | ${parsed} |
| services, with methods | ${services}, ${methods} |
| imported | ${imported} (${share(imported)}) |
| import → export is the same on the wire | ${identical} (${share(identical)}) |

| what differs | services |
| --- | --- |
${[...rest].map(([why, names]) => `| ${why} | ${names.length}: ${names.map((name) => `\`${name}\``).join(', ')} |`).join('\n')}

| what a contract does not say | times |
| --- | ---: |
${sorted.map(([construct, times]) => `| ${meaning[construct] ?? construct} | ${times} |`).join('\n')}
`
}

const meaning: Readonly<Record<string, string>> = {
  http: '`google.api.http` that is no route: paths with variables of several segments, most of them',
  'enum alias': 'second names of an enum’s number',
  'extension range': 'extension ranges',
  'reserved range': 'reserved ranges of more than 1000 numbers',
  group: 'groups',
  'map key': 'map keys that are fixed or zigzag integers',
  default: 'defaults that are NaN or infinite',
}

/** Puts the section into the page, in the place of the one that is there. */
function write(text: string): void {
  const before = existsSync(page)
    ? readFileSync(page, 'utf8')
    : '# Conformance\n\nWhat foreign judges and collections say of Trunkline, and how to ask them again.\n'
  const start = before.indexOf(`${heading}\n`)
  const next = start === -1 ? -1 : before.indexOf('\n## ', start + 1)
  const after = next === -1 ? '' : before.slice(next + 1)
  const head = start === -1 ? `${before.trimEnd()}\n\n` : before.slice(0, start)
  writeFileSync(page, `${head}${text}${after === '' ? '' : `\n${after}`}`)
}

test('protoc’s descriptors of Google’s files give the same contracts as the files', async (t) => {
  const folder = await needs(t, googleProtoFiles)
  const program = await needs(t, protoc)
  if (folder === undefined || program === undefined) return

  const corpus = corpusOf(folder)
  const place = mkdtempSync(join(tmpdir(), 'trunkline-google-'))
  t.after(() => rmSync(place, { recursive: true }))
  const set = join(place, 'set')
  const { status, stderr } = spawnSync(
    program,
    ['-I.', '--include_imports', `--descriptor_set_out=${set}`, ...corpus.paths],
    { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 26 },
  )
  assert.equal(status, 0, stderr.slice(-4000))

  const nodes = new Map(decodeFileSet(readFileSync(set)).map((node) => [node.path, node]))
  const compiled = loaderOf((path) => nodes.get(path))
  let compared = 0

  for (const path of corpus.paths) {
    const [ours, theirs] = [corpus, { loader: compiled }].map((one) => {
      const { declarations, services } = servicesOf(one, path)
      return services.map((service) => serviceToContract(declarations, service, { routes: false }).info)
    })

    for (const [index, info] of (ours ?? []).entries()) {
      assert.equal(theirs?.[index]?.digest, info.digest, info.grpcService)
      compared += 1
    }
  }
  t.diagnostic(`${compared} services`)
})

test('protoc accepts a sample of what Google’s services are exported as', async (t) => {
  const folder = await needs(t, googleProtoFiles)
  const program = await needs(t, protoc)
  if (folder === undefined || program === undefined) return

  const corpus = corpusOf(folder)
  const everyNth = 40
  for (const path of corpus.paths.filter((_, index) => index % everyNth === 3)) {
    const { declarations, services } = servicesOf(corpus, path)
    const place = mkdtempSync(join(tmpdir(), 'trunkline-google-'))
    t.after(() => rmSync(place, { recursive: true }))

    for (const service of services) {
      const files = exportProto([serviceToContract(declarations, service).info])
      for (const file of files) {
        mkdirSync(dirname(join(place, file.path)), { recursive: true })
        writeFileSync(join(place, file.path), file.text)
      }
      const { status, stderr }: { status: number | null; stderr: string } = spawnSync(
        program,
        [`-I${place}`, `--descriptor_set_out=${join(place, 'set')}`, ...files.map((file) => file.path)],
        { encoding: 'utf8' },
      )
      assert.equal(`${status}${stderr}`, '0', service.name)
    }
  }
})

test('a sample of the modules that are written loads, means what the file means, and passes TypeScript', async (t) => {
  const folder = await needs(t, googleProtoFiles)
  if (folder === undefined) return

  const corpus = corpusOf(folder)
  const generated = join(root, 'test/repository/.generated')
  mkdirSync(generated, { recursive: true })
  const place = mkdtempSync(join(generated, 'google-'))
  t.after(() => rmSync(place, { recursive: true }))

  const everyNth = 25
  for (const path of corpus.paths.filter((_, index) => index % everyNth === 0)) {
    const { module, lock } = importProto(path, { read: corpus.read })
    const own = join(place, path.replaceAll(/\W/g, '_'))
    mkdirSync(own)
    writeFileSync(join(own, 'a.contract.ts'), module)
    writeFileSync(join(own, 'trunkline.lock.json'), JSON.stringify(lock))

    const exported = (await import(pathToFileURL(join(own, 'a.contract.ts')).href)) as Record<string, unknown>
    const loaded = Object.values(exported)
      .filter(isContract)
      .map((one) => contractInfo(one))

    const { files } = createLoader(corpus.read).load([path])
    const made = servicesToContracts(declarationsOf(files.values()), files.get(path)?.services ?? [])
    for (const { info } of made) {
      assert.equal(
        loaded.find(({ name }) => name === info.name)?.digest,
        info.digest,
        `${path}: ${info.name}`,
      )
    }
  }

  const config = { extends: join(root, 'tsconfig.json'), include: ['.'], compilerOptions: { noEmit: true } }
  writeFileSync(join(place, 'tsconfig.json'), JSON.stringify(config))
  const { status, stdout } = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', place], {
    encoding: 'utf8',
  })
  const own = stdout.split('\n').filter((line) => line.includes('a.contract.ts'))
  assert.deepEqual(own, [], 'TypeScript finds nothing in them')
  assert.ok(status === 0 || !stdout.includes('.generated'), stdout.slice(0, 4000))
})
