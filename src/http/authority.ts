/**
 * The authority of a request: the Host field or the authority of an absolute-form target.
 *
 *     Host       = uri-host [ ":" port ]                          RFC 9110 section 7.2
 *     uri-host   = IP-literal / IPv4address / reg-name            RFC 3986 section 3.2.2
 *     IP-literal = "[" ( IPv6address / IPvFuture ) "]"
 *     reg-name   = *( unreserved / pct-encoded / sub-delims )
 *     port       = *DIGIT
 *
 * User information (`user@host`) is refused, as RFC 9110 section 4.2.4 demands of the http schemes, and so is a list,
 * although a comma is a sub-delim: two Host fields joined by an intermediary look like one.
 */

const shape = /^(?:\[[0-9A-Fa-f:.]{2,45}\]|(?:[A-Za-z0-9\-._~!$&'()*+;=]|%[0-9A-Fa-f]{2})+)(?::[0-9]{0,5})?$/

/** Whether a text can stand in the Host field. An empty one cannot: every http URL names a host. */
export function isAuthority(text: string): boolean {
  return text.length <= 261 && shape.test(text)
}

/** Parts of a target in absolute form, `http://host/path?query`. */
export interface AbsoluteTarget {
  readonly authority: string
  readonly target: string
}

const absolute = /^https?:\/\/([^/?#]*)([/?][^#]*)?$/i

/** Takes an absolute-form target apart (RFC 9112 section 3.2.2); `undefined` when it is none, or a bad one. */
export function parseAbsoluteTarget(text: string): AbsoluteTarget | undefined {
  const match = absolute.exec(text)
  if (match === null) return undefined
  const authority = match[1] as string
  if (!isAuthority(authority)) return undefined
  const rest = match[2] ?? '/'
  return { authority, target: rest.startsWith('?') ? `/${rest}` : rest }
}
