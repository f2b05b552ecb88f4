import type { Wire } from '../wire.ts'
import { restClient } from './client.ts'
import { descriptionPath } from './description.ts'
import type { OpenApiOptions } from './openapi.ts'
import { restServer } from './server.ts'
import { supports } from './supports.ts'

export { type OpenApiDocument, type OpenApiOptions, exportOpenApi } from './openapi.ts'

/** What the REST wire can be told; everything has a default. */
export interface RestOptions {
  /** Where the server's OpenAPI document is, or `false` for nowhere. Default `/openapi.json`. */
  readonly openapi?: `/${string}` | false
  /** Where the server's page for people is, or `false` for nowhere. Default `/docs`. */
  readonly docs?: `/${string}` | false
  /** Where the contracts describe themselves to `describeServer` and `trunkline call`. Default `/trunkline.json`. */
  readonly description?: '/trunkline.json' | false
  /** What the documents say of the service: title, version, description, servers. */
  readonly document?: OpenApiOptions
  /** Whether clients ask for compressed answers: less network for more CPU on both sides. Default: no. */
  readonly compression?: boolean
  /** The HTTP version of clients: `2` carries all calls over one connection. Servers speak both. Default `1.1`. */
  readonly http?: '1.1' | '2'
}

/**
 * The REST wire: operations at the routes of their contract, JSON in and out, errors as problem+json (RFC 9457),
 * streams as NDJSON or server-sent events, and an OpenAPI document of it all. Its URLs are `http://` and `https://`, of
 * our servers and of foreign ones; a path in the URL is a prefix of all routes.
 *
 * @param options See `RestOptions`.
 *
 * @example
 * ```ts
 * import { call, contract, implement, serve } from 'trunkline'
 * import { rest } from 'trunkline/wires'
 * import * as z from 'zod'
 *
 * const Greeter = contract('acme.greeter.v1', {
 *   greet: call({
 *     input: z.object({ name: z.string() }),
 *     output: z.object({ text: z.string() }),
 *     rest: 'GET /greetings/{name}',
 *   }),
 * })
 *
 * const greeter = implement(Greeter, { greet: ({ name }) => ({ text: `Hello ${name}` }) })
 * await using server = await serve(greeter, { port: 0, wires: [rest({ docs: false })] })
 * const answer = await fetch(`http://127.0.0.1:${server.port}/greetings/Ada`)
 * console.log(await answer.json()) // { text: 'Hello Ada' }
 * ```
 */
export function rest(options: RestOptions = {}): Wire {
  const { openapi = '/openapi.json', docs = '/docs', compression = false, http = '1.1' } = options
  const { description = descriptionPath, document = {} } = options
  return {
    name: 'rest',
    schemes: ['http', 'https', 'http+unix'],
    defaultPort: 80,
    needsNumbers: false,
    supports,
    server: restServer({ openapi, docs, description, document }),
    client: restClient({ compression, http }),
  }
}
