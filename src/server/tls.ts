/** TLS of a server's port: what a user passes, made into what `node:tls` takes, with mistakes found before it listens. */
import { X509Certificate } from 'node:crypto'
import tls from 'node:tls'
import type { Logger } from '../call/logger.ts'
import { type OptionRules, aBoolean, aFunction, anObject, checkOptions, someText } from '../call/options.ts'

/** PEM, as text or bytes; several one behind the other are a chain. */
export type Pem = string | Buffer

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
    Pick<
      tls.TlsOptions,
      | 'ca'
      | 'pfx'
      | 'requestCert'
      | 'rejectUnauthorized'
      | 'minVersion'
      | 'ciphers'
      | 'ecdhCurve'
      | 'SNICallback'
    > {
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

const isPem = (value: unknown): boolean => typeof value === 'string' || Buffer.isBuffer(value)
const aPem = { fits: isPem, expected: 'PEM, as a string or a Buffer' }
const somePem = {
  fits: (value: unknown) => isPem(value) || (Array.isArray(value) && value.every((each) => isPem(each))),
  expected: 'PEM, as a string, a Buffer or an array of these',
}
const anything = { fits: () => true, expected: 'anything' }

const certificateRules: OptionRules<CertificateAndKey> = { cert: aPem, key: aPem, passphrase: someText }

const rules: OptionRules<TlsOptions> = {
  ...certificateRules,
  ca: anything,
  pfx: anything,
  requestCert: aBoolean,
  rejectUnauthorized: aBoolean,
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
}

/** Throws TypeError for what cannot be served with: an unknown option, a key without certificate, a pair that does not fit. */
export function checkTls(options: TlsOptions): void {
  checkOptions('serve: tls', options, rules)
  if (options.pfx === undefined && options.SNICallback === undefined) {
    if (options.key === undefined || options.cert === undefined) {
      throw new TypeError('serve: tls: a server needs key and cert (PEM), or pfx')
    }
  }
  if (options.clientCertificate !== undefined && options.clientCa === undefined) {
    throw new TypeError(
      'serve: tls: clientCertificate needs clientCa, the authorities that clients are vouched for by',
    )
  }
  if (options.key !== undefined || options.pfx !== undefined) contextOf('serve: tls', options)
  for (const [name, pair] of Object.entries(options.serverNames ?? {})) {
    const where = `serve: tls: serverNames['${name}']`
    checkOptions(where, pair, certificateRules)
    if (pair.cert === undefined || pair.key === undefined)
      throw new TypeError(`${where} needs cert and key (PEM)`)
    if (!serverName.test(name)) throw new TypeError(`${where} is no DNS name, nor one that begins with '*.'`)
    contextOf(where, pair)
  }
}

const serverName = /^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/i

function contextOf(
  where: string,
  given: Partial<CertificateAndKey> & Pick<tls.TlsOptions, 'pfx'>,
): tls.SecureContext {
  const { cert, key, passphrase, pfx } = given
  try {
    return tls.createSecureContext(
      withDefined({ cert, key, passphrase, pfx, ciphers: suites, ecdhCurve: curves }),
    )
  } catch (error) {
    throw new TypeError(`${where}: ${reasonOf(error as NodeJS.ErrnoException)}`, { cause: error })
  }
}

/** OpenSSL's reasons in words that say what to do. */
function reasonOf({ code = '', message }: NodeJS.ErrnoException): string {
  if (code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH') return 'the key does not belong to the certificate'
  if (code === 'ERR_OSSL_PEM_NO_START_LINE')
    return 'cert and key must be PEM (-----BEGIN …-----), not paths or DER'
  if (/BAD_(PASSWORD|DECRYPT)|INTERRUPTED_OR_CANCELLED/.test(code)) {
    return 'the key is encrypted, and passphrase is missing or wrong'
  }
  return `the certificate or its key cannot be used: ${message}`
}

/** What the listener passes to `node:tls`, without ALPN. */
export function serverTls(options: TlsOptions): tls.TlsOptions {
  const { clientCa, clientCertificate = 'required', ca } = options
  const authorities = [...listOf(ca), ...listOf(clientCa)]
  return {
    minVersion: 'TLSv1.2',
    ciphers: suites,
    ecdhCurve: curves,
    honorCipherOrder: false,
    ...(clientCa === undefined
      ? {}
      : { requestCert: true, rejectUnauthorized: clientCertificate === 'required' }),
    ...options,
    ...(authorities.length === 0 ? {} : { ca: authorities as (string | Buffer)[] }),
  } as tls.TlsOptions
}

/** Adds the certificates for single server names; of those that fit, the last one added counts, so exact ones come last. */
export function addServerNames(server: tls.Server, options: TlsOptions): void {
  const named = Object.entries(options.serverNames ?? {}).toSorted(
    ([a], [b]) => Number(b.startsWith('*')) - Number(a.startsWith('*')),
  )
  for (const [name, pair] of named) {
    server.addContext(name, serverTls({ ...options, passphrase: '', pfx: undefined as never, ...pair }))
  }
}

/** How long before the end of a certificate a server that starts with it says so, unless it lives for days only. */
const endingSoon = 7 * 86_400_000

/** A certificate that has ended, or ends soon, is better found here than by the first caller. */
export function warnOfCertificates(options: TlsOptions, log: Logger, now: number = Date.now()): void {
  for (const cert of [options.cert, ...Object.values(options.serverNames ?? {}).map((each) => each.cert)]) {
    if (cert === undefined) continue
    const { subjectAltName, validToDate, validFromDate } = new X509Certificate(cert)
    const [from, until] = [validFromDate.getTime(), validToDate.getTime()]
    const about = { names: subjectAltName ?? '', until: validToDate.toISOString() }
    if (until <= now) log.warn(about, 'tls: the certificate has expired')
    else if (from > now) {
      log.warn({ ...about, from: validFromDate.toISOString() }, 'tls: the certificate is not valid yet')
    } else if (until - now < Math.min(endingSoon, (until - from) / 3)) {
      log.warn(about, 'tls: the certificate expires within 7 days')
    }
  }
}

function listOf(given: tls.TlsOptions['ca'] | TlsOptions['clientCa']): readonly unknown[] {
  return given === undefined ? [] : Array.isArray(given) ? given : [given]
}

/** `createSecureContext` takes no `undefined`. */
function withDefined<T extends object>(options: T): { [K in keyof T]: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never
}
