/** Whether a server is the one that was meant, and in words why not. */
import type { PeerCertificate, TLSSocket } from 'node:tls'
import type { ClientTlsOptions } from './tls.ts'

/** Why the server is not to be trusted; `undefined` when it is. Nothing was sent yet. */
export function doubtOf(
  socket: TLSSocket,
  name: string,
  options: ClientTlsOptions | undefined,
): Error | undefined {
  if (socket.authorized || options?.rejectUnauthorized === false) return undefined
  // Node's types say Error, and it is the code of one, or, for a wrong name, that error.
  const given = socket.authorizationError as unknown
  const code =
    given instanceof Error ? ((given as NodeJS.ErrnoException).code ?? given.message) : String(given)
  return new UntrustedServer(code, socket.getPeerCertificate(), name)
}

/** A certificate that does not fit, with what it says of itself. */
class UntrustedServer extends Error {
  constructor(code: string, certificate: PeerCertificate, asked: string) {
    super(untrusted(code, certificate, asked))
  }
}

function untrusted(code: string, certificate: PeerCertificate, asked: string): string {
  const names = certificate.subjectaltname ?? `CN=${String(certificate.subject?.CN ?? '')}`
  const about = `its names: ${names}; issued by ${nameOf(certificate.issuer)}`

  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return `the server's certificate expired on ${certificate.valid_to} (${about})`
    case 'CERT_NOT_YET_VALID':
      return `the server's certificate is valid only from ${certificate.valid_from} on; is this machine's clock right? (${about})`
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `the server's certificate is for another name than ${asked} (${about}): connect to one of these, or pass it as tls: { servername }`
    default:
      return `the server's certificate is not trusted (${reasons[code] ?? code}; ${about}): pass its authority's as tls: { ca }`
  }
}

/** Certificates that nobody vouches for, as OpenSSL names the reasons. */
const reasons: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self-signed certificate',
  SELF_SIGNED_CERT_IN_CHAIN: 'self-signed certificate in its chain',
  UNABLE_TO_GET_ISSUER_CERT: 'its authority is not known here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its authority is not known here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its authority is not known here',
  INVALID_PURPOSE: 'it is not for servers',
  CERT_SIGNATURE_FAILURE: 'its signature is wrong',
  CERT_REVOKED: 'revoked',
}

function nameOf(issuer: PeerCertificate['issuer'] | undefined): string {
  if (issuer === undefined) return 'nobody'
  const parts = [issuer.CN, issuer.O, issuer.OU].flat().filter((part) => part !== undefined)
  return parts.length === 0 ? 'a nameless authority' : parts.join(', ')
}
