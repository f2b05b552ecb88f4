import cluster from 'node:cluster'
import { availableParallelism } from 'node:os'
import { type ServeOptions, type Server, serve } from '../index.ts'
import { defaultWires } from '../wires/index.ts'
import { type Command, type Given, isOn, valueOf } from './command.ts'
import { type Failure, failed, usage } from './failure.ts'
import { readGiven } from './files.ts'
import { implementationsOf } from './exported.ts'
import { type LoadedModule, loadModule } from './load-module.ts'
import { durationOption, numberOption } from './number-option.ts'
import { untilToldToEnd } from './signals.ts'
import { supervise } from './supervise.ts'
import { type Ready, readyLine } from './ready.ts'
import { ownPort, reportReady, ticketKeysOfAll, untilDrained } from './worker.ts'

const defaultGrace = 10_000

export const command: Command = {
  name: 'serve',
  summary: 'Serves what a module exports, on every wire, on one port.',
  more: [
    'The module exports what implement() returned, as default or under any name; several contracts share the port. ' +
      'An export named `options` is passed to serve() (authenticate, filters, limits, log, wires); what is said here comes first.',
    'When it is ready it prints one line on stdout. SIGINT and SIGTERM drain: no new calls, open ones have the grace to ' +
      'finish, exit code 0. A second signal ends it at once. When it was forked by a Node process, it ends with that.',
  ],
  arguments: [{ name: 'module', doc: 'A .ts or .js file, a folder with a main file, or a package.' }],
  options: {
    port: { short: 'p', value: 'number', doc: 'The TCP port; 0 picks a free one.', default: '7000' },
    host: { value: 'address', doc: 'The address to listen on; 0.0.0.0 for all.', default: '127.0.0.1' },
    path: { value: 'socket', doc: 'A Unix socket to listen on, instead of port and host.' },
    workers: {
      short: 'w',
      value: 'number',
      doc: 'How many processes share the port; auto for one a core. One that dies is started again.',
      default: '1',
    },
    grace: { value: 'time', doc: 'How long open calls may still take when it ends.', default: '10s' },
    'admin-port': {
      value: 'number',
      doc: 'Serves /metrics and /healthz on 127.0.0.1; with workers each has a port of its own, counted up from this.',
    },
    'tls-cert': { value: 'file', doc: 'The certificate chain in PEM; then everything is TLS.' },
    'tls-key': { value: 'file', doc: 'Its private key in PEM.' },
    'tls-client-ca': {
      value: 'file',
      doc: 'The authorities in PEM whose certificates clients must show; who a certificate names is the principal.',
    },
    'tls-client-optional': { doc: 'Lets in clients without such a certificate too, as nobody.' },
  },
  examples: [
    { line: 'trunkline serve service.ts', doc: 'trunk, gRPC and REST on 127.0.0.1:7000.' },
    { line: 'trunkline serve service.ts --port 7001 --workers auto', doc: 'A process a core.' },
    { line: 'trunkline serve service.ts --path /run/orders.sock', doc: 'On a Unix socket.' },
    {
      line: 'trunkline serve service.ts --host 0.0.0.0 --tls-cert cert.pem --tls-key key.pem',
      doc: 'For other machines.',
    },
    {
      line: 'trunkline serve service.ts --host 0.0.0.0 --tls-cert cert.pem --tls-key key.pem --tls-client-ca clients.pem',
      doc: 'For clients with certificates of an authority of yours.',
    },
  ],
  run,
}

async function run(given: Given): Promise<number> {
  const workers = workersOf(given)
  const grace = durationOption(given, 'grace') ?? defaultGrace
  const options = await serveOptions(given)

  if (workers > 1 && cluster.isPrimary) return supervise({ count: workers, grace })

  // Listened for from the start: the supervisor may end before this worker is ready.
  const drained = cluster.isWorker ? untilDrained() : undefined
  const ticketKeys = await ticketKeysOfAll()
  const module = await loadModule(given.arguments[0] as string)
  const implementations = implementationsOf(module)
  const all = withTicketKeys({ ...optionsOf(module), ...options }, ticketKeys)
  const server = await listen(implementations, all, given)
  const ready: Ready = {
    contracts: server.contracts.map(({ name }) => name),
    authority: server.authority,
    wires: (optionsOf(module).wires ?? defaultWires()).map(({ name }) => name),
    adminPorts: server.adminPort === undefined ? [] : [server.adminPort],
    secure: all.tls !== undefined,
  }

  if (drained !== undefined) {
    reportReady(ready)
    await drained
  } else {
    console.log(readyLine(ready))
    await untilToldToEnd()
  }

  await server.close({ grace })
  return 0
}

/** With them a client resumes with one worker the TLS session that it began with another. */
function withTicketKeys(options: ServeOptions, ticketKeys: (() => Buffer) | undefined): ServeOptions {
  const { tls } = options
  return tls === undefined || ticketKeys === undefined ? options : { ...options, tls: { ticketKeys, ...tls } }
}

function workersOf(given: Given): number {
  if (valueOf(given, 'workers') === 'auto') return availableParallelism()
  return numberOption(given, 'workers', 1, 256) ?? 1
}

async function serveOptions(given: Given): Promise<ServeOptions> {
  const port = numberOption(given, 'port', 0, 65_535)
  const host = valueOf(given, 'host')
  const path = valueOf(given, 'path')
  const admin = numberOption(given, 'admin-port', 0, 65_535)

  if (path !== undefined && (port !== undefined || host !== undefined)) {
    throw usage('--path is a Unix socket and takes the place of --port and --host: give one of them')
  }
  return {
    ...(port === undefined ? {} : { port }),
    ...(host === undefined ? {} : { host }),
    ...(path === undefined ? {} : { path }),
    ...(admin === undefined ? {} : { admin: { port: await ownPort(admin) } }),
    ...serverTls(given),
  }
}

function serverTls(given: Given): Pick<ServeOptions, 'tls'> {
  const [cert, key, clientCa] = ['tls-cert', 'tls-key', 'tls-client-ca'].map((name) => valueOf(given, name))
  const optional = isOn(given, 'tls-client-optional')

  if ((cert === undefined) !== (key === undefined)) {
    throw usage(
      `--tls-${cert === undefined ? 'cert' : 'key'} is missing: TLS needs a certificate and its key`,
    )
  }
  if (optional && clientCa === undefined) {
    throw usage('--tls-client-optional says how --tls-client-ca <file> is meant, which is missing')
  }
  if (cert === undefined || key === undefined) {
    if (clientCa === undefined) return {}
    throw usage('--tls-client-ca needs TLS: --tls-cert <file> and --tls-key <file> are missing')
  }

  return {
    tls: {
      cert: readGiven('--tls-cert', cert),
      key: readGiven('--tls-key', key),
      ...(clientCa === undefined ? {} : { clientCa: readGiven('--tls-client-ca', clientCa) }),
      ...(optional ? { clientCertificate: 'optional' } : {}),
    },
  }
}

function optionsOf({ exports, shown }: LoadedModule): ServeOptions {
  const { options } = exports
  if (options === undefined) return {}
  if (typeof options === 'object' && options !== null) return options
  throw failed(
    `${shown} exports \`options\`, which is no object: export what serve() takes as its second argument`,
  )
}

async function listen(
  implementations: Parameters<typeof serve>[0],
  options: ServeOptions,
  given: Given,
): Promise<Server> {
  try {
    return await serve(implementations, options)
  } catch (error) {
    throw explain(error as NodeJS.ErrnoException, options, given)
  }
}

function explain(error: NodeJS.ErrnoException, options: ServeOptions, given: Given): unknown {
  const { path, port = 7000, host = '127.0.0.1' } = options
  const taken = (error as { port?: number }).port ?? port
  const where = path ?? `${host}:${taken}`

  switch (error.code) {
    case 'EADDRINUSE':
      return path === undefined ? portInUse(taken, host, given) : socketInUse(path)
    case 'EADDRNOTAVAIL':
      return failed(`${host} is no address of this machine`, 'All of them: --host 0.0.0.0')
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return usage(`--host: '${host}' is no address, and no name that can be looked up`)
    case 'EACCES':
      return failed(
        `${where}: not allowed`,
        ...(path === undefined ? ['Ports below 1024 are for root: choose one above.'] : []),
      )
    case 'ENOENT':
      return path === undefined ? error : failed(`${path}: there is no such folder`)
    case 'EINVAL':
      return path === undefined
        ? error
        : failed(`${path}: too long for a Unix socket (at most about 100 characters)`)
    default:
      if (error.message.startsWith(tlsMistake))
        return explainTls(error.message.slice(tlsMistake.length), given)
      return error instanceof TypeError ? failed(error.message) : error
  }
}

const tlsMistake = 'serve: tls: '

function explainTls(message: string, given: Given): Failure {
  if (!given.options.has('tls-cert')) return failed(`options.tls: ${message}`)
  const authorities = /^clientCa: (?<what>.*)/s.exec(message)?.groups?.['what']
  if (authorities !== undefined) return usage(`--tls-client-ca: ${authorities}`)
  return usage(
    `--tls-cert, --tls-key: ${message}`,
    ...(message.includes('passphrase') ? ['Without one: openssl pkey -in <file> -out <file>'] : []),
  )
}

function portInUse(port: number, host: string, given: Given): Failure {
  const option = String(port) === valueOf(given, 'admin-port') ? '--admin-port' : '--port'
  return failed(
    `port ${port} is in use on ${host}`,
    `Who has it: lsof -nP -iTCP:${port} -sTCP:LISTEN`,
    `Another one: ${option} ${port === 65_535 ? port - 1 : port + 1}, or ${option} 0 for any that is free`,
  )
}

function socketInUse(path: string): Failure {
  return failed(
    `${path} exists already: another server listens there, or one that was killed left it`,
    `Who has it: lsof ${path}; if nobody: rm ${path}`,
  )
}
