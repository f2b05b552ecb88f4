import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'

/** What a peer's certificate says, once TLS has verified it. */
export interface PeerCertificate {
  /** The subject's common name; may be empty. */
  readonly subject: string
  /** The subject alternative names, with their kinds: `DNS:orders.internal`, `URI:spiffe://…`. */
  readonly names: readonly string[]
  /** SHA-256, in hexadecimal with colons. */
  readonly fingerprint: string
}

/**
 * The verified certificate that the other side of a TLS connection showed; `undefined` when there is none.
 *
 * A session that is resumed has the verdict of its first handshake, and can be resumed again and again: so whether the
 * certificate has expired since is looked at here.
 */
export function peerCertificate(stream: Duplex, now: number = Date.now()): PeerCertificate | undefined {
  if (!(stream instanceof TLSSocket) || !stream.authorized) return undefined
  const certificate = stream.getPeerCertificate()
  if (certificate?.subject === undefined || !(Date.parse(certificate.valid_to) > now)) return undefined
  return {
    subject: onlyName(certificate.subject.CN),
    names: alternativeNames(certificate.subjectaltname ?? ''),
    fingerprint: certificate.fingerprint256,
  }
}

/** A subject with several common names has none: `['a', 'b']` shall not be taken for `a,b`. */
function onlyName(names: string | readonly string[] | undefined): string {
  return typeof names === 'string' ? names : ''
}

/**
 * Node joins the names with `, `, and writes one that could be mistaken for several as a JSON string behind its kind:
 * `DNS:"a.example, DNS:b.example"`. Split at every comma, such a name would pass for others.
 */
const alternativeName = /(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^",]*)(?=, |$)/y

/** The names of a `subjectaltname` as Node writes it. Empty when it cannot be taken apart to its end. */
export function alternativeNames(text: string): readonly string[] {
  const names: string[] = []
  let end = 0
  alternativeName.lastIndex = 0
  for (let found = alternativeName.exec(text); found !== null; found = alternativeName.exec(text)) {
    const [, kind = '', value = ''] = found
    names.push(`${kind}:${value.startsWith('"') ? unquoted(value) : value}`)
    end = alternativeName.lastIndex
  }
  return end === text.length ? names : []
}

function unquoted(text: string): string {
  try {
    return String(JSON.parse(text))
  } catch {
    return text
  }
}
