/** From what a user passes to what wires see: the host with its filters, and the HTTP wires mounted on it. */
import { withLimits } from '../call/limits.ts'
import { type Logger, defaultLogger } from '../call/logger.ts'
import type { ContractInfo } from '../contract/operation.ts'
import { CallMetrics } from '../telemetry/metrics.ts'
import { defaultWires } from '../wires/default.ts'
import type { HttpMount, Wire } from '../wires/wire.ts'
import { authentication, refuseUncheckedScopes } from './authenticate.ts'
import { byCertificate } from './certificate-principal.ts'
import { ServerHost } from './host.ts'
import { type Implementation, isImplementation } from './implement.ts'
import type { AssembleOptions, ServeOptions } from './options.ts'

export interface Assembled {
  readonly host: ServerHost
  readonly wires: readonly Wire[]
  readonly http: readonly HttpMount[]
  /** There when an admin listener will show them. */
  readonly metrics: CallMetrics | undefined
}

export function assemble(
  what: Implementation | readonly Implementation[],
  options: AssembleOptions & Pick<ServeOptions, 'admin' | 'tls'>,
): Assembled {
  const implementations = Array.isArray(what) ? (what as readonly Implementation[]) : [what as Implementation]
  if (implementations.length === 0 || !implementations.every((each) => isImplementation(each))) {
    throw new TypeError(
      'serve: expected what implement(contract, handlers) returned, or an array of such with at least one in it',
    )
  }

  const log = options.log ?? defaultLogger
  const wires = options.wires ?? defaultWires()
  const authenticate =
    options.authenticate ?? (options.tls?.clientCa === undefined ? undefined : byCertificate)
  const metrics = options.admin === undefined ? undefined : new CallMetrics()
  const filters = [
    ...(metrics ? [metrics.filter] : []),
    ...(authenticate ? [authentication(authenticate, log)] : []),
    ...(options.filters ?? []),
  ]

  const host = new ServerHost(implementations, { filters, limits: withLimits(options.limits), log })
  refuseUncheckedScopes(host.operations.values(), options.authenticate)
  refuseUnlocked(host.contracts, wires)
  sayWhatIsNotCarried(host.contracts, log)

  const http = wires.flatMap(({ server }) => (server?.over === 'http' ? [server.mount(host)] : []))
  return { host, wires, http, metrics }
}

/** A reordered key must not corrupt data during a rolling deployment. */
function refuseUnlocked(contracts: readonly ContractInfo[], wires: readonly Wire[]): void {
  if (process.env.NODE_ENV !== 'production') return
  const needing = wires.filter(({ needsNumbers }) => needsNumbers).map(({ name }) => name)
  const unlocked = contracts.filter(({ locked }) => !locked).map(({ name }) => name)
  if (needing.length === 0 || unlocked.length === 0) return
  throw new TypeError(
    `serve: ${unlocked.join(', ')} has no lock, and ${needing.join(', ')} needs field numbers that never change. ` +
      `Run \`trunkline lock <module>\`, and pass the file: contract(name, operations, { lock })`,
  )
}

/** Events, tasks and collections are declared today and carried by an engine later: nobody shall wait for them. */
function sayWhatIsNotCarried(contracts: readonly ContractInfo[], log: Logger): void {
  for (const { name, operations } of contracts) {
    const others = [...operations.values()].filter(({ kind }) => kind !== 'call').map((each) => each.name)
    if (others.length === 0) continue
    log.warn(
      { contract: name, operations: others },
      'not served: no engine carries events, tasks and collections yet',
    )
  }
}
