/** What the commands that are clients take for TLS, made into `connect`'s `tls`. */
import type { ConnectOptions } from '../index.ts'
import { type Given, type Option, isOn, valueOf } from './command.ts'
import { usage } from './failure.ts'
import { readGiven } from './files.ts'

export const clientTlsOptions: Readonly<Record<string, Option>> = {
  'tls-ca': { value: 'file', doc: 'Trusts the authorities of this PEM file, instead of the system’s.' },
  'tls-cert': { value: 'file', doc: 'This side’s certificate in PEM, for servers that demand one.' },
  'tls-key': { value: 'file', doc: 'Its private key in PEM.' },
  'tls-server-name': {
    value: 'name',
    doc: 'The name that the server’s certificate must have, where the URL says another.',
  },
  insecure: {
    doc: 'Trusts whoever answers. For trying things out only: who is in between can read and change all.',
  },
}

/** Of a command line whose `--to` is `url`. Throws `Failure`. */
export function clientTls(given: Given, url: string | undefined): Pick<ConnectOptions, 'tls'> {
  const [ca, cert, key, servername] = ['tls-ca', 'tls-cert', 'tls-key', 'tls-server-name'].map((name) =>
    valueOf(given, name),
  )
  const insecure = isOn(given, 'insecure')
  const named = Object.keys(clientTlsOptions).filter((name) => given.options.has(name))
  if (named.length === 0) return {}

  checkScheme(`--${named[0]}`, url)
  if ((cert === undefined) !== (key === undefined)) {
    throw usage(
      `--tls-${cert === undefined ? 'cert' : 'key'} is missing: a certificate and its key go together`,
    )
  }
  if (insecure && ca !== undefined) {
    throw usage('--insecure trusts everybody, --tls-ca only some: give one of them')
  }

  return {
    tls: {
      ...(ca === undefined ? {} : { ca: readGiven('--tls-ca', ca) }),
      ...(cert === undefined || key === undefined
        ? {}
        : { cert: readGiven('--tls-cert', cert), key: readGiven('--tls-key', key) }),
      ...(servername === undefined ? {} : { servername }),
      ...(insecure ? { rejectUnauthorized: false } : {}),
    },
  }
}

const mistake = 'connect: tls: '

/** A `Failure` for files that hold something else than what they were named for; everything else as it is. */
export function explainTls(error: unknown): unknown {
  if (!(error instanceof TypeError) || !error.message.startsWith(mistake)) return error
  const message = error.message.slice(mistake.length)
  const authorities = /^ca: (?<what>.*)/s.exec(message)?.groups?.['what']
  return usage(
    authorities === undefined ? `--tls-cert, --tls-key: ${message}` : `--tls-ca: ${authorities}`,
    ...(message.includes('passphrase') ? ['Without one: openssl pkey -in <file> -out <file>'] : []),
  )
}

/** Without TLS they would have no effect, and somebody thinks that they have. */
function checkScheme(option: string, url: string | undefined): void {
  const scheme = /^([a-z][a-z0-9.-]*)(\+unix)?:\/\//i.exec(url ?? '')
  if (scheme === null) return
  const [, name = '', socket] = scheme
  if (socket !== undefined) throw usage(`${option} is for TLS, and a Unix socket has none`)
  if (!/s$/i.test(name)) {
    throw usage(
      `${option} is for TLS, and ${name}:// has none`,
      `With TLS: ${url?.replace(name, `${name}s`)}`,
    )
  }
}
