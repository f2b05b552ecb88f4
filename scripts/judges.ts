// Foreign judges and tools that npm's lockfile does not bring. Each function gets one ready and returns the path of its
// program; it throws, saying what to do, when that is not possible on this machine. They are fetched once, through their
// ordinary package clients and in fixed versions, into a folder outside the tree: ${TRUNKLINE_CACHE:-~/.cache/trunkline}.
//
//   node scripts/judges.ts                 gets all of them
//   node scripts/judges.ts schemathesis    gets one

import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onPath, once, run } from './judges/cache.ts'

const VERSIONS = {
  schemathesis: '4.32.5',
  redocly: '2.77.0',
  grpcGo: '1.85.0',
  grpcurl: '1.9.4',
  h2spec: '2.2.1+incompatible',
  connectConformance: '1.0.7',
  ghz: '0.93.0',
  grpcioTools: '1.85.1',
  sslyze: '6.3.1',
  googleProtoFiles: '5.0.3',
}

/** Python 3 of the machine, for foreign clients written with its standard library only. */
export function python3(): string {
  const found = onPath('python3')
  if (found === undefined)
    throw new Error('python3 is not installed: install it by the machine’s package manager')
  return found
}

/** schemathesis, which tests a server against its own OpenAPI document. */
export function schemathesis(): Promise<string> {
  return once(`schemathesis-${VERSIONS.schemathesis}`, async (folder) => {
    await run(python3(), ['-m', 'venv', folder])
    const pip = join(folder, 'bin', 'pip')
    await run(pip, [
      'install',
      '--quiet',
      '--disable-pip-version-check',
      `schemathesis==${VERSIONS.schemathesis}`,
    ])
    return join(folder, 'bin', 'schemathesis')
  })
}

/** sslyze, which tries a TLS server out and compares it with Mozilla's profiles. */
export function sslyze(): Promise<string> {
  return once(`sslyze-${VERSIONS.sslyze}`, async (folder) => {
    await run(python3(), ['-m', 'venv', folder])
    const pip = join(folder, 'bin', 'pip')
    await run(pip, ['install', '--quiet', '--disable-pip-version-check', `sslyze==${VERSIONS.sslyze}`])
    return join(folder, 'bin', 'sslyze')
  })
}

/** openssl, as a TLS client of its own. */
export async function openssl(): Promise<string> {
  return onPath('openssl') ?? (await fromDebian('openssl', 'openssl'))
}

/** redocly, which lints OpenAPI documents. */
export function redocly(): Promise<string> {
  return once(`redocly-${VERSIONS.redocly}`, async (folder) => {
    await run('npm', [
      'install',
      '--prefix',
      folder,
      '--no-audit',
      '--no-fund',
      `@redocly/cli@${VERSIONS.redocly}`,
    ])
    return join(folder, 'node_modules', '.bin', 'redocly')
  })
}

/** protoc, as the Python package grpcio-tools brings it: newer than Debian's, which knows no editions. */
export function protoc(): Promise<string> {
  return once(`protoc-${VERSIONS.grpcioTools}`, async (folder) => {
    await run(python3(), ['-m', 'venv', folder])
    await run(join(folder, 'bin', 'pip'), [
      'install',
      '--quiet',
      '--disable-pip-version-check',
      `grpcio-tools==${VERSIONS.grpcioTools}`,
    ])

    const program = join(folder, 'protoc')
    const python = join(folder, 'bin', 'python')
    writeFileSync(program, `#!/bin/sh\nexec '${python}' -m grpc_tools.protoc "$@"\n`, { mode: 0o755 })
    return program
  })
}

/** The folder of Google's own .proto files: thousands, with every construct that is in use. */
export function googleProtoFiles(): Promise<string> {
  return once(`google-proto-files-${VERSIONS.googleProtoFiles}`, async (folder) => {
    await run('npm', [
      'install',
      '--prefix',
      folder,
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
      `google-proto-files@${VERSIONS.googleProtoFiles}`,
    ])
    return join(folder, 'node_modules', 'google-proto-files')
  })
}

/** A Node of another major version, from the npm package `node`. */
export function node(major: number): Promise<string> {
  return once(`node-${major}`, async (folder) => {
    await run('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', `node@${major}`])
    const program = join(folder, 'node_modules', 'node', 'bin', 'node')

    // An npm that skips install scripts leaves the package without its binary.
    if (!existsSync(program)) {
      await run(process.execPath, ['installArchSpecificPackage.js'], join(folder, 'node_modules', 'node'))
    }

    return program
  })
}

/** wrk, the HTTP load generator, from Debian's packages. */
export async function wrk(): Promise<string> {
  return onPath('wrk') ?? (await fromDebian('wrk', 'wrk'))
}

/** curl. */
export async function curl(): Promise<string> {
  return onPath('curl') ?? (await fromDebian('curl', 'curl'))
}

/** Go, for foreign clients; the machine's own. */
export function go(): string {
  const found = onPath('go') ?? (existsSync('/usr/local/go/bin/go') ? '/usr/local/go/bin/go' : undefined)
  if (found === undefined) throw new Error('go is not installed: install Go 1.23 or newer')
  return found
}

/** Rust's cargo, for foreign peers; the machine's own. */
export function cargo(): string {
  const found = onPath('cargo')
  if (found === undefined) throw new Error('cargo is not installed: install Rust 1.80 or newer')
  return found
}

/** Unpacks a Debian package into the cache, so that nothing is installed and no service starts. */
function fromDebian(name: string, program: string): Promise<string> {
  return once(`debian-${name}`, async (folder) => {
    if (onPath('apt-get') === undefined)
      throw new Error(`${program} is not installed: install it by the machine’s package manager`)

    if (process.getuid?.() === 0) {
      await run('apt-get', ['update', '-qq'])
      await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', name])
      return onPath(program)!
    }

    await run('apt-get', ['download', name], folder)
    const { stdout } = spawnSync('sh', ['-c', `ls ${name}_*.deb`], { cwd: folder, encoding: 'utf8' })
    await run('dpkg-deb', ['-x', stdout.trim(), '.'], folder)
    return join(folder, 'usr', 'bin', program)
  })
}

/** grpc-go's client of the interoperability tests. */
export function grpcGoClient(): Promise<string> {
  return fromGo('grpc-go-interop-client', 'google.golang.org/grpc/interop/client', VERSIONS.grpcGo)
}

/** grpc-go's server of the interoperability tests. */
export function grpcGoServer(): Promise<string> {
  return fromGo('grpc-go-interop-server', 'google.golang.org/grpc/interop/server', VERSIONS.grpcGo)
}

/** grpcurl, which calls gRPC servers by reflection. */
export function grpcurl(): Promise<string> {
  return fromGo('grpcurl', 'github.com/fullstorydev/grpcurl/cmd/grpcurl', VERSIONS.grpcurl)
}

/** h2spec, which tries every case of RFC 7540 and RFC 7541 against a server. */
export function h2spec(): Promise<string> {
  return fromGo('h2spec', 'github.com/summerwind/h2spec/cmd/h2spec', VERSIONS.h2spec)
}

/** Connect's conformance tests, of gRPC and gRPC-Web too. */
export function connectConformance(): Promise<string> {
  const path = 'connectrpc.com/conformance/cmd/connectconformance'
  return fromGo('connectconformance', path, VERSIONS.connectConformance)
}

/** ghz, the gRPC load generator. */
export function ghz(): Promise<string> {
  return fromGo('ghz', 'github.com/bojand/ghz/cmd/ghz', VERSIONS.ghz)
}

/** A small server in Go with server reflection: test/judges/go-reflection. */
export function goReflectionServer(): Promise<string> {
  const source = join(import.meta.dirname, '..', 'test', 'judges', 'go-reflection')
  return once(`go-reflection-${VERSIONS.grpcGo}`, async (folder) => {
    const program = join(folder, 'server')
    await run(go(), ['build', '-o', program, '.'], source)
    return program
  })
}

/** Builds a program of a Go module. */
function fromGo(name: string, path: string, version: string): Promise<string> {
  return once(`${name}-${version}`, async (folder) => {
    await run('env', [`GOBIN=${folder}`, go(), 'install', `${path}@v${version}`])
    return join(folder, path.slice(path.lastIndexOf('/') + 1))
  })
}

/** All of them, by name. */
export const judges = {
  connectConformance,
  python3,
  schemathesis,
  sslyze,
  openssl,
  redocly,
  wrk,
  curl,
  go,
  h2spec,
  protoc,
  googleProtoFiles,
  grpcGoClient,
  grpcGoServer,
  goReflectionServer,
  grpcurl,
  ghz,
  node24: () => node(24),
}

if (import.meta.main) {
  const names = process.argv.slice(2)
  let failed = false

  for (const [name, get] of Object.entries(judges)) {
    if (names.length > 0 && !names.includes(name)) continue
    try {
      console.log(`${name}: ${await get()}`)
    } catch (error) {
      failed = true
      console.error(`${name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  process.exitCode = failed ? 1 : 0
}
