/**
 * Which web pages may call a server of another origin (Fetch standard, "CORS protocol"). Without a list of origins there
 * is nothing of it: browsers then let only pages of the server's own origin read its answers.
 */
import type { HttpExchange } from '../../http/exchange.ts'
import { HttpHeaders } from '../../http/headers.ts'

/** How long a browser may remember a preflight, in seconds; none does longer than this. */
const maxAge = '7200'

/** `*` stands for all names; those that every page needs are said beside it. */
const exposed = '*, grpc-status, grpc-message, grpc-status-details-bin'

const fieldNames = /^[!#$%&'*+\-.^_`|~0-9A-Za-z, \t]{1,1024}$/

export class Cors {
  readonly #origins: ReadonlySet<string>
  readonly #methods: string

  /**
   * @param origins `https://app.example`, or `*` for all.
   * @param methods What a page may ask with: `POST`, `GET, POST`.
   */
  constructor(origins: readonly string[], methods: string) {
    this.#origins = new Set(origins.map(checkedOrigin))
    this.#methods = methods
  }

  /** The value of Access-Control-Allow-Origin for a request; `undefined` when it gets none. */
  allowed(headers: HttpHeaders): string | undefined {
    if (this.#origins.size === 0) return undefined
    const origin = headers.get('origin')
    if (origin === undefined) return undefined
    if (this.#origins.has('*')) return '*'
    return this.#origins.has(origin) ? origin : undefined
  }

  /** Answers a preflight of an allowed origin, and says so. */
  preflight(exchange: HttpExchange): boolean {
    const { method, headers } = exchange.request
    if (method !== 'OPTIONS' || !headers.has('access-control-request-method')) return false
    const allowed = this.allowed(headers)
    if (allowed === undefined) return false

    const list = [
      'access-control-allow-origin',
      allowed,
      'access-control-allow-methods',
      this.#methods,
      'access-control-max-age',
      maxAge,
      'vary',
      'origin, access-control-request-headers',
    ]
    const asked = headers.combined('access-control-request-headers')
    if (asked !== undefined && fieldNames.test(asked)) list.push('access-control-allow-headers', asked)
    exchange.respond({ status: 204, headers: new HttpHeaders(list) }, undefined)
    return true
  }
}

/** The fields of an answer that a page of `origin` may read; none for `undefined`. */
export function corsFields(origin: string | undefined): readonly string[] {
  if (origin === undefined) return []
  return ['access-control-allow-origin', origin, 'access-control-expose-headers', exposed, 'vary', 'origin']
}

function checkedOrigin(text: string): string {
  if (text === '*') return text
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && url.origin === text) return text
  const nearest = url === undefined || url.origin === 'null' ? '' : ` (did you mean '${url.origin}'?)`
  throw new TypeError(
    `origins: '${text}' is no origin${nearest}: write scheme and host, such as 'https://app.example', or '*' for all`,
  )
}
