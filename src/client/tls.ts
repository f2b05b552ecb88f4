/** TLS of a client: what a user passes, with mistakes found before anything is connected. */
import type { ConnectionOptions } from 'node:tls'
import { type OptionRules, aBoolean, aSecret, checkOptions, someText } from '../call/options.ts'
import { type Pem, type Pems, aPem, certificatesIn, checkSecureContext, somePem } from '../call/pem.ts'

/** Certificates and what else `node:tls` takes on a client. */
export interface ClientTlsOptions extends Pick<ConnectionOptions, 'pfx' | 'minVersion'> {
  /** The authorities, in PEM, that the server's certificate is trusted by, instead of the system's. */
  readonly ca?: Pem | readonly Pem[]
  /** This side's own certificate in PEM, where the server asks for one (mutual TLS), with those that lead to its authority. */
  readonly cert?: Pem
  /** Its private key in PEM. */
  readonly key?: Pem
  /** Of the key, where it is encrypted. */
  readonly passphrase?: string
  /** The name that is asked for (SNI) and must be in the server's certificate. Default: the URL's host. */
  readonly servername?: string
  /** `false` trusts every server: whoever is on the way can read and change everything. */
  readonly rejectUnauthorized?: boolean
}

const rules: OptionRules<ClientTlsOptions> = {
  ca: somePem,
  cert: aPem,
  key: aPem,
  pfx: { fits: () => true, expected: 'PKCS #12', secret: true },
  passphrase: aSecret,
  servername: someText,
  rejectUnauthorized: aBoolean,
  minVersion: {
    fits: (value) => value === 'TLSv1.2' || value === 'TLSv1.3',
    expected: "'TLSv1.2' or 'TLSv1.3'",
  },
}

/** Throws TypeError for an option that does not exist, PEM without certificates, and a key that is not the certificate's. */
export function checkClientTls(where: string, options: ClientTlsOptions): void {
  checkOptions(where, options, rules)
  const { ca, cert, key, passphrase, pfx } = options
  if (ca !== undefined) certificatesIn(`${where}: ca`, ca as Pems)
  if ((cert === undefined) !== (key === undefined)) {
    throw new TypeError(`${where}: cert and key are the two halves of one thing: give both`)
  }
  if (cert !== undefined || pfx !== undefined) {
    checkSecureContext(where, { cert, key, passphrase, pfx } as Parameters<typeof checkSecureContext>[1])
  }
}
