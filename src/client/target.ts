/** URLs that a client can be given: which wire, which address. */
import type { Wire } from '../wires/wire.ts'

/** Where an endpoint is, and what speaks to it. */
export interface Target {
  readonly url: URL
  readonly wire: Wire
  readonly secure: boolean
  readonly address: { readonly host: string; readonly port: number } | { readonly path: string }
  /** `127.0.0.1:7000` or `unix:/run/orders.sock`, for messages and logs. */
  readonly label: string
}

/**
 * Takes a URL apart.
 *
 * `scheme://host[:port][/prefix]`, or `scheme+unix:///path/of/socket`; TLS by the scheme's usual `s` (`trunks`, `https`).
 *
 * @throws TypeError that names what is wrong, with the nearest known scheme.
 */
export function parseTarget(text: string, wires: readonly Wire[]): Target {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw new TypeError(
      `connect: ${JSON.stringify(text)} is no URL; write scheme://host:port, such as trunk://127.0.0.1:7000`,
    )
  }

  const scheme = url.protocol.slice(0, -1)
  const wire = wires.find(({ schemes, client }) => client !== undefined && schemes.includes(scheme))
  if (wire === undefined) {
    const known = wires.flatMap(({ schemes, client }) => (client === undefined ? [] : schemes))
    throw new TypeError(
      `connect: no wire has the scheme '${scheme}' (in ${text}); there are ${known.join(', ')}`,
    )
  }

  if (scheme.endsWith('+unix')) {
    const path = decodeURIComponent(url.pathname)
    if (path.length < 2)
      throw new TypeError(`connect: ${text} names no socket; write ${scheme}:///path/of/socket`)
    return { url, wire, secure: false, address: { path }, label: `unix:${path}` }
  }

  if (wire.client?.over === 'own') {
    // Where such a wire goes is its own business: a broker, several of them, a folder.
    return {
      url,
      wire,
      secure: isSecure(scheme),
      address: { path: url.pathname },
      label: `${url.host}${url.pathname}`,
    }
  }

  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (host === '') throw new TypeError(`connect: ${text} names no host; write ${scheme}://host:port`)
  const secure = isSecure(scheme)
  const port = url.port === '' ? (usualPort(scheme) ?? wire.defaultPort) : Number(url.port)
  if (port === undefined)
    throw new TypeError(`connect: ${text} names no port, and ${wire.name} has no usual one`)
  return {
    url,
    wire,
    secure,
    address: { host, port },
    label: url.host.includes(':') ? url.host : `${url.host}:${port}`,
  }
}

function isSecure(scheme: string): boolean {
  const last = scheme.split('+').at(-1) as string
  return last.length > 1 && last.endsWith('s') && last !== 'ws'
}

function usualPort(scheme: string): number | undefined {
  const last = scheme.split('+').at(-1)
  if (last === 'http' || last === 'grpc') return 80
  return last === 'https' || last === 'grpcs' ? 443 : undefined
}
