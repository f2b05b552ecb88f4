/** Certificates and keys among the options of servers and clients: PEM, looked at before anything is connected or served. */
import { X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import type { OptionRule } from './options.ts'

/** PEM, as text or bytes; several one behind the other are a chain. */
export type Pem = string | Buffer

/** One, or a list of them. */
export type Pems = Pem | readonly Pem[]

const isPem = (value: unknown): boolean => typeof value === 'string' || Buffer.isBuffer(value)

/** What is wrong with these is never said by showing them: it might be a key. */
export const aPem: OptionRule = { fits: isPem, expected: 'PEM, as a string or a Buffer', secret: true }

export const somePem: OptionRule = {
  fits: (value) => isPem(value) || (Array.isArray(value) && value.every((each) => isPem(each))),
  expected: 'PEM, as a string, a Buffer or an array of these',
  secret: true,
}

const block =
  /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]+-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g

/**
 * The certificates in some PEM. OpenSSL passes over what it cannot read, and an authority that is not there is trusted by
 * nobody, or, where the system's take its place, by everybody.
 *
 * @throws TypeError when a piece has no certificate, or one that cannot be read.
 */
export function certificatesIn(where: string, given: Pems): readonly X509Certificate[] {
  const pieces = Array.isArray(given) ? (given as readonly Pem[]) : [given as Pem]
  if (pieces.length === 0) throw new TypeError(`${where}: an empty list names no authority`)

  return pieces.flatMap((piece) => {
    const found = String(piece).match(block)
    if (found === null) {
      throw new TypeError(
        `${where}: there is no certificate in it; it must be PEM (-----BEGIN CERTIFICATE-----), not a path or DER`,
      )
    }
    return found.map((text) => certificate(where, text))
  })
}

function certificate(where: string, text: string): X509Certificate {
  try {
    return new X509Certificate(text)
  } catch (error) {
    throw new TypeError(`${where}: a certificate in it cannot be read: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

/** Throws TypeError, in words that say what to do, for certificates and keys of which no TLS can be made. */
export function checkSecureContext(where: string, options: SecureContextOptions): void {
  try {
    createSecureContext(
      Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
    )
  } catch (error) {
    throw new TypeError(`${where}: ${reasonOf(error as NodeJS.ErrnoException)}`, { cause: error })
  }
}

/** OpenSSL's reasons. */
function reasonOf({ code = '', message }: NodeJS.ErrnoException): string {
  if (code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH') return 'the key does not belong to the certificate'
  if (code === 'ERR_OSSL_PEM_NO_START_LINE' || code === 'ERR_OSSL_UNSUPPORTED')
    return 'cert and key must be PEM (-----BEGIN …-----), not paths or DER'
  if (/BAD_(PASSWORD|DECRYPT)|INTERRUPTED_OR_CANCELLED/.test(code)) {
    return 'the key is encrypted, and passphrase is missing or wrong'
  }
  if (code.endsWith('NO_CIPHER_MATCH')) return 'OpenSSL knows none of these ciphers'
  return `the certificate or its key cannot be used: ${message}`
}
