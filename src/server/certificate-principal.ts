import type { Peer } from '../call/peer.ts'
import type { Principal } from '../call/principal.ts'
import type { Authenticate } from './authenticate.ts'

/**
 * The principal that a client's verified certificate names (mutual TLS): its SPIFFE id (`spiffe://acme.org/billing`), else its
 * first DNS name (`dns:billing.internal`), else its subject's common name (`subject:billing`). The prefixes keep the kinds
 * apart: an authority that signs common names freely must not make one look like a DNS name. DNS names are in lower case; a
 * subject with several common names has none.
 *
 * @param peer `request.peer` of `authenticate`.
 * @returns `undefined` when the peer showed no certificate, or one without a name. The certificate's `subject`, `names` and
 *   `fingerprint` are in `claims`; scopes are not: they are for `authenticate` to add.
 *
 * Follows the X.509-SVID standard of SPIFFE: a certificate with exactly one URI, of the scheme `spiffe`.
 *
 * @example
 * ```ts
 * import { certificatePrincipal } from 'trunkline'
 *
 * const certificate = { subject: '', names: ['URI:spiffe://acme.org/billing'], fingerprint: 'AB:CD' }
 * const peer = { address: '127.0.0.1:41234', wire: 'trunk', secure: true, certificate }
 * console.log(certificatePrincipal(peer)?.id) // spiffe://acme.org/billing
 * ```
 */
export function certificatePrincipal({ certificate }: Peer): Principal | undefined {
  if (certificate === undefined) return undefined
  const { subject, names, fingerprint } = certificate
  const id = spiffeId(names) ?? dnsName(names) ?? (subject === '' ? undefined : `subject:${subject}`)
  return id === undefined ? undefined : { id, claims: { subject, names, fingerprint } }
}

function spiffeId(names: readonly string[]): string | undefined {
  const uris = names.filter((name) => name.startsWith('URI:'))
  const [only = ''] = uris
  return uris.length === 1 && only.startsWith('URI:spiffe://') ? only.slice('URI:'.length) : undefined
}

function dnsName(names: readonly string[]): string | undefined {
  const first = names.find((name) => name.startsWith('DNS:'))
  return first === undefined ? undefined : `dns:${first.slice('DNS:'.length).toLowerCase()}`
}

/** What authenticates when a server asks for certificates and has no `authenticate` of its own. */
export const byCertificate: Authenticate = ({ peer }) => certificatePrincipal(peer)
