// tsyringe, below x509, wants the polyfill to be there first.
// oxlint-disable-next-line import/no-unassigned-import
import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import type { Certificate } from './certificate.ts'

const algorithms = {
  ECDSA: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  RSA: {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    publicExponent: new Uint8Array([1, 0, 1]),
    modulusLength: 2048,
  },
}
const day = 86_400_000

/** What a certificate of the test's authority says. */
export interface Subject {
  readonly commonName?: string
  readonly names?: readonly { readonly type: 'dns' | 'ip' | 'url'; readonly value: string }[]
  /** Days from now. */
  readonly from?: number
  readonly until?: number
}

export interface AuthorityOptions {
  /** Days from now. */
  readonly until?: number
  /** Of its keys, and of those it issues certificates for. */
  readonly kind?: 'ECDSA' | 'RSA'
}

/** An authority of a test's own, which issues certificates. */
export interface Authority {
  /** PEM. */
  readonly cert: string
  issue(subject: Subject): Promise<Certificate>
}

/** Makes an authority, for this process only. Its certificates are as RFC 5280 wants them, for judges that are strict. */
export async function authority(
  commonName: string,
  { until: end = 100, kind = 'ECDSA' }: AuthorityOptions = {},
): Promise<Authority> {
  x509.cryptoProvider.set(webcrypto as unknown as Crypto)
  const signingAlgorithm = algorithms[kind]
  const pair = () => webcrypto.subtle.generateKey(signingAlgorithm, true, ['sign', 'verify'])
  const keys = await pair()
  let serial = 1
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: `CN=${commonName}`,
    notBefore: new Date(Date.now() - 100 * day),
    notAfter: new Date(Date.now() + end * day),
    signingAlgorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })

  return {
    cert: root.toString('pem'),
    async issue({ commonName: name = '', names = [], from = -1, until = 30 }) {
      const own = await pair()
      serial++
      const certificate = await x509.X509CertificateGenerator.create({
        serialNumber: serial.toString(16).padStart(2, '0'),
        subject: name === '' ? '' : `CN=${name}`,
        issuer: root.subject,
        notBefore: new Date(Date.now() + from * day),
        notAfter: new Date(Date.now() + until * day),
        signingAlgorithm,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
          // RFC 5280 section 4.2.1.6: critical where the subject is empty.
          ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension([...names], name === '')]),
        ],
      })
      return { cert: certificate.toString('pem'), key: await privatePem(own.privateKey) }
    },
  }
}

async function privatePem(key: webcrypto.CryptoKey): Promise<string> {
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64')
  return `-----BEGIN PRIVATE KEY-----\n${pkcs8.replace(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`
}
