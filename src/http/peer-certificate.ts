import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'

/** What a peer's certificate says, once TLS has verified it. */
export interface PeerCertificate {
  /** The subject's common name; may be empty. */
  readonly subject: string
  /** The subject alternative names, as Node writes them: `DNS:orders.internal`, `URI:spiffe://…`. */
  readonly names: readonly string[]
  /** SHA-256, in hexadecimal with colons. */
  readonly fingerprint: string
}

/** The verified certificate that the other side of a TLS connection showed; `undefined` when there is none. */
export function peerCertificate(stream: Duplex): PeerCertificate | undefined {
  if (!(stream instanceof TLSSocket) || !stream.authorized) return undefined
  const certificate = stream.getPeerCertificate()
  if (certificate?.subject === undefined) return undefined
  return {
    subject: String(certificate.subject.CN ?? ''),
    names: (certificate.subjectaltname ?? '').split(', ').filter((name) => name !== ''),
    fingerprint: certificate.fingerprint256,
  }
}
