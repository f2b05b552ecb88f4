/** TLS of a server's port: what a user passes, made into what `node:tls` takes, with mistakes found before it listens. */
import { type X509Certificate, constants, createHash } from 'node:crypto'
import type tls from 'node:tls'
import type { Logger } from '../call/logger.ts'
import { type OptionRules, aFunction, aSecret, anObject, checkOptions, someText } from '../call/options.ts'
import { type Pem, aPem, certificatesIn, checkSecureContext, somePem } from '../call/pem.ts'
import { type TicketKeys, checkedTicketKeys, someTicketKeys } from './ticket-keys.ts'

export type { Pem } from '../call/pem.ts'

/** A certificate and its private key. */
export interface CertificateAndKey {
  /** The certificate in PEM, followed by those that lead to its authority. */
  readonly cert: Pem
  /** Its private key in PEM. */
  readonly key: Pem
  /** Of the key, where it is encrypted. */
  readonly passphrase?: string
}

/** What `serve` takes as `tls`. */
export interface TlsOptions
  extends
    Partial<CertificateAndKey>,
    Pick<tls.TlsOptions, 'pfx' | 'minVersion' | 'ciphers' | 'ecdhCurve' | 'SNICallback'> {
  /**
   * More certificates, by the server name that a client asks for (SNI): `orders.example.org`, or `*.example.org` for any one
   * label. Who asks for another name gets `cert`.
   */
  readonly serverNames?: Readonly<Record<string, CertificateAndKey>>
  /**
   * The authorities, in PEM, whose certificates clients show (mutual TLS). Who a certificate names is the call's principal,
   * unless `authenticate` says otherwise; see `certificatePrincipal`.
   */
  readonly clientCa?: Pem | readonly Pem[]
  /** Whether a client must show a certificate. Default, with `clientCa`: `'required'`. */
  readonly clientCertificate?: 'required' | 'optional'
  /**
   * 48 random bytes by which session tickets are encrypted, for several processes behind one address: a client then resumes
   * with one what it began with another. A function is asked every minute, so that the keys can be changed. Default: keys
   * of the process's own, new ones every day.
   */
  readonly ticketKeys?: TicketKeys
}

/**
 * TLS 1.3's three suites, and of 1.2 those that Mozilla's intermediate profile names and that need no parameters of their own;
 * Node's defaults have more, among them some without forward secrecy.
 */
export const suites = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

/** The same profile's curves. */
export const curves = 'X25519:prime256v1:secp384r1'

const certificateRules: OptionRules<CertificateAndKey> = { cert: aPem, key: aPem, passphrase: aSecret }

const rules: OptionRules<TlsOptions> = {
  ...certificateRules,
  pfx: { fits: () => true, expected: 'PKCS #12', secret: true },
  minVersion: {
    fits: (value) => value === 'TLSv1.2' || value === 'TLSv1.3',
    expected: "'TLSv1.2' or 'TLSv1.3'",
  },
  ciphers: someText,
  ecdhCurve: someText,
  SNICallback: aFunction,
  serverNames: { ...anObject, expected: 'an object of server names and { cert, key }' },
  clientCa: somePem,
  clientCertificate: {
    fits: (value) => value === 'required' || value === 'optional',
    expected: "'required' or 'optional'",
  },
  ticketKeys: someTicketKeys,
}

/** Throws TypeError for what cannot be served with: an unknown option, a key without certificate, a pair that does not fit. */
export function checkTls(options: TlsOptions): void {
  checkOptions('serve: tls', options, rules)
  const { cert, key, pfx, SNICallback, ciphers, ecdhCurve, serverNames, ticketKeys } = options
  if (pfx === undefined && SNICallback === undefined && (key === undefined || cert === undefined)) {
    throw new TypeError('serve: tls: a server needs key and cert (PEM), or pfx')
  }
  checkClientCertificates(options)
  if (serverNames !== undefined && SNICallback !== undefined) {
    throw new TypeError('serve: tls: SNICallback would hide serverNames; give one of them')
  }
  if (ticketKeys !== undefined) checkedTicketKeys(ticketKeys)

  const profile = { ciphers: ciphers ?? suites, ecdhCurve: ecdhCurve ?? curves }
  const { passphrase } = options
  if (key !== undefined || pfx !== undefined) {
    checkSecureContext('serve: tls', { cert, key, passphrase, pfx, ...profile } as tls.SecureContextOptions)
  }
  for (const [name, pair] of Object.entries(serverNames ?? {})) {
    const where = `serve: tls: serverNames['${name}']`
    checkOptions(where, pair, certificateRules)
    if (pair.cert === undefined || pair.key === undefined)
      throw new TypeError(`${where} needs cert and key (PEM)`)
    if (!serverName.test(name)) throw new TypeError(`${where} is no DNS name, nor one that begins with '*.'`)
    checkSecureContext(where, { ...pair, ...profile })
  }
}

/** Whoever is trusted by mistake is let in: everything that Node would make of these without a word is refused. */
function checkClientCertificates({ clientCa, clientCertificate, pfx, SNICallback }: TlsOptions): void {
  if (clientCa === undefined) {
    if (clientCertificate === undefined) return
    throw new TypeError(
      'serve: tls: clientCertificate needs clientCa, the authorities that clients are vouched for by',
    )
  }
  certificatesIn('serve: tls: clientCa', clientCa)
  if (pfx !== undefined) {
    throw new TypeError(
      'serve: tls: with pfx the authorities within it would vouch for clients too, beside clientCa: give cert and key (PEM)',
    )
  }
  if (SNICallback !== undefined) {
    throw new TypeError(
      'serve: tls: what SNICallback returns has authorities of its own, and clientCa would not count: give serverNames',
    )
  }
}

const serverName = /^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/i

/** What the listener passes to `node:tls`, without ALPN. */
export function serverTls(options: TlsOptions): tls.TlsOptions {
  const { clientCa, clientCertificate = 'required', serverNames: _names, ticketKeys, ...own } = options
  const given = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined))
  return {
    minVersion: 'TLSv1.2',
    ciphers: suites,
    ecdhCurve: curves,
    honorCipherOrder: false,
    // RFC 9113 section 9.2.1; and who a client is shall not change while it is served.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    sessionIdContext: sessionContext(options),
    ...(ticketKeys === undefined ? {} : { ticketKeys: checkedTicketKeys(ticketKeys) }),
    ...(clientCa === undefined
      ? {}
      : {
          ca: (Array.isArray(clientCa) ? [...clientCa] : clientCa) as string | Buffer | (string | Buffer)[],
          requestCert: true,
          rejectUnauthorized: clientCertificate === 'required',
        }),
    ...given,
  }
}

/**
 * A session carries what was found out about the client's certificate, and is taken at its word. It may so be resumed only
 * where the same would have been found out: with the same authorities, asked for in the same way.
 */
function sessionContext({ clientCa, clientCertificate = 'required' }: TlsOptions): string {
  if (clientCa === undefined) return 'trunkline'
  const authorities = certificatesIn('clientCa', clientCa).map(({ fingerprint256 }) => fingerprint256)
  const text = JSON.stringify([clientCertificate, authorities.toSorted()])
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}

/** Adds the certificates for single server names; of those that fit, the last one added counts, so exact ones come last. */
export function addServerNames(server: tls.Server, options: TlsOptions): void {
  const named = Object.entries(options.serverNames ?? {}).toSorted(
    ([a], [b]) => Number(b.startsWith('*')) - Number(a.startsWith('*')),
  )
  const { passphrase: _, ...shared } = options
  for (const [name, pair] of named) server.addContext(name, serverTls({ ...shared, ...pair }))
}

/** How long before the end of a certificate a server that starts with it says so, unless it lives for days only. */
const endingSoon = 7 * 86_400_000

/** A certificate that has ended, or ends soon, is better found here than by the first caller. */
export function warnOfCertificates(options: TlsOptions, log: Logger, now: number = Date.now()): void {
  const { cert, serverNames = {}, clientCa } = options
  for (const each of [cert, ...Object.values(serverNames).map((pair) => pair.cert)]) {
    const own = each === undefined ? undefined : certificatesIn('serve: tls: cert', each)[0]
    if (own !== undefined) warnOf(own, 'the certificate', log, now)
  }
  for (const authority of clientCa === undefined ? [] : certificatesIn('clientCa', clientCa)) {
    warnOf(authority, 'an authority in clientCa', log, now)
  }
}

function warnOf(certificate: X509Certificate, what: string, log: Logger, now: number): void {
  const { subject, subjectAltName, validToDate, validFromDate } = certificate
  const [from, until] = [validFromDate.getTime(), validToDate.getTime()]
  const about = { names: subjectAltName ?? subject, until: validToDate.toISOString() }
  if (until <= now) log.warn(about, `tls: ${what} has expired`)
  else if (from > now) {
    log.warn({ ...about, from: validFromDate.toISOString() }, `tls: ${what} is not valid yet`)
  } else if (until - now < Math.min(endingSoon, (until - from) / 3)) {
    log.warn(about, `tls: ${what} expires within 7 days`)
  }
}
