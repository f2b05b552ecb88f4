/** Contracts from a module or from a running server. */
import { CallError, type ConnectOptions, type ContractInfo, describeServer } from '../index.ts'
import { defaultWires } from '../wires/index.ts'
import { explainTls } from './client-tls.ts'
import { contractsOf } from './exported.ts'
import { Failure, exitCode, usage } from './failure.ts'
import { loadModule } from './load-module.ts'
import { contractsOfProto } from './proto-files.ts'
import { didYouMean } from '../contract/nearest.ts'

export interface Source {
  readonly module: string | undefined
  /** A .proto file, and the folders of what it imports. */
  readonly proto: string | undefined
  readonly protoPath: readonly string[]
  readonly to: string | undefined
  readonly tls: Pick<ConnectOptions, 'tls'>
}

/** The contracts of a module or a .proto file if one is named, else of the server. */
export async function contractsFrom(source: Source): Promise<readonly ContractInfo[]> {
  const { module, proto, protoPath, to, tls } = source
  if (proto === undefined && protoPath.length > 0) {
    throw usage('--proto-path is where imports of a .proto file are: name that too, --proto <file>')
  }
  if (module !== undefined && proto !== undefined) {
    throw usage(`'${module}' and --proto are two places to read from: give one of them`)
  }
  if (module !== undefined) return contractsOf(await loadModule(module))
  if (proto !== undefined) return contractsOfProto(proto, protoPath)

  const url = checkUrl(to)
  try {
    return await describeServer(url, tls)
  } catch (error) {
    throw explain(error, url)
  }
}

/** The URL of `--to`, with what people forget about it. Throws `Failure`. */
export function checkUrl(to: string | undefined): string {
  const example = 'trunk://127.0.0.1:7000 or http://127.0.0.1:7000'
  if (to === undefined) throw usage(`--to is missing: the server's URL, such as ${example}`)

  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(to)?.[1]?.toLowerCase()
  if (scheme === undefined) {
    throw usage(
      `--to: '${to}' is no URL; it begins with the wire: trunk://${to.replace(/^\/+/, '')} or http://…`,
    )
  }

  const known = defaultWires().flatMap(({ schemes }) => schemes)
  if (!known.includes(scheme)) {
    throw usage(
      `--to: no wire has the scheme '${scheme}'.${didYouMean(scheme, known)}`,
      `There are ${known.map((each) => `${each}://`).join(', ')}`,
    )
  }
  if (!URL.canParse(to)) throw usage(`--to: '${to}' is no URL, such as ${example}`)

  return to
}

/** A `Failure` for a server that cannot be reached, with exit code 3; everything else as it is. */
export function unreachable(error: unknown): Failure | undefined {
  if (!CallError.is(error) || error.code !== 'unavailable' || error.processed !== 'no') return undefined
  // Whatever else went wrong is said by the message: a server that is not there is the one that can be started.
  const advice = error.message.includes('nothing listens') ? ['Is it running? trunkline serve <module>'] : []
  return new Failure(exitCode.unreachable, error.message, advice, error)
}

function explain(error: unknown, url: string): unknown {
  if (!CallError.is(error)) return explainTls(error)
  if (error.code === 'unimplemented') {
    // A foreign server's own words are about the method of reflection that it does not have.
    const [what, advice] = /^grpcs?(?:\+unix)?:/.test(url)
      ? [
          `${url}: the server has no server reflection`,
          'Name what has the contract: --proto <file>, or --contract <module>',
        ]
      : [error.message, 'Name a module that has the contract: --contract <module>']
    return new Failure(exitCode.failed, what, [advice], error)
  }
  const late = error.code === 'unavailable' || error.code === 'deadline_exceeded'
  return (
    unreachable(error) ??
    new Failure(late ? exitCode.unreachable : exitCode.failed, `${url}: ${error.message}`, [], error)
  )
}
