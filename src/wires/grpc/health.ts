/**
 * `grpc.health.v1.Health`: what load balancers and orchestrators ask.
 *
 *     Check(HealthCheckRequest { string service = 1; }) returns (HealthCheckResponse { ServingStatus status = 1; })
 *     Watch(HealthCheckRequest) returns (stream HealthCheckResponse)
 *     ServingStatus = UNKNOWN 0 / SERVING 1 / NOT_SERVING 2 / SERVICE_UNKNOWN 3
 *
 * Every service that is served is SERVING, and '' is the whole server; NOT_SERVING while the server is being closed, which
 * ends every Watch. Follows gRPC's "Health Checking Protocol".
 */
import type { Call } from '../../call/call.ts'
import { CallError } from '../../call/error.ts'
import type { Handler, Reply } from '../../call/handler.ts'
import type { Types } from '../../schema/type.ts'
import type { Host } from '../wire.ts'
import { operationOf, ownContract, textField } from './own-contract.ts'
import type { OwnService } from './server.ts'

const types: Types = {
  HealthCheckRequest: { kind: 'object', fields: [textField('service', 1)], unknown: 'strip' },
  HealthCheckResponse: {
    kind: 'object',
    fields: [
      {
        name: 'status',
        number: 1,
        type: { kind: 'ref', to: 'HealthCheckResponse.ServingStatus' },
        default: 'UNKNOWN',
      },
    ],
    unknown: 'strip',
  },
  'HealthCheckResponse.ServingStatus': {
    kind: 'enum',
    values: [
      { name: 'UNKNOWN', value: 'UNKNOWN', number: 0 },
      { name: 'SERVING', value: 'SERVING', number: 1 },
      { name: 'NOT_SERVING', value: 'NOT_SERVING', number: 2 },
      { name: 'SERVICE_UNKNOWN', value: 'SERVICE_UNKNOWN', number: 3 },
    ],
  },
}

type ServingStatus = 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN'

export const healthContract = ownContract('grpc.health.v1', 'grpc.health.v1.Health', types, {
  check: { method: 'Check', input: { type: 'HealthCheckRequest' }, output: { type: 'HealthCheckResponse' } },
  watch: {
    method: 'Watch',
    input: { type: 'HealthCheckRequest' },
    output: { type: 'HealthCheckResponse', stream: true },
  },
})

/** The service, and a way to say that the server is being closed. */
export interface HealthService {
  readonly service: OwnService
  drain(): void
}

/** @param names The full names of the services that are served. */
export function healthService(host: Host, names: ReadonlySet<string>): HealthService {
  const draining = Promise.withResolvers<void>()
  const known = (name: string) => name === '' || names.has(name)
  const now = (): ServingStatus => (host.draining ? 'NOT_SERVING' : 'SERVING')

  const check = (name: string) => {
    if (known(name)) return { status: now() }
    throw new CallError('not_found', `there is no service '${name.slice(0, 200)}' here`)
  }

  async function* watch(name: string, call: Call): AsyncGenerator<{ status: ServingStatus }> {
    yield { status: known(name) ? now() : 'SERVICE_UNKNOWN' }
    const over = new Promise<void>((resolve) => call.onCancel(() => resolve()))
    await Promise.race([over, draining.promise])
    if (known(name)) yield { status: 'NOT_SERVING' }
    throw new CallError('unavailable', 'the server is closing')
  }

  return {
    service: new Map([
      [operationOf(healthContract, 'check'), onRequest((name) => check(name))],
      [operationOf(healthContract, 'watch'), onRequest((name, call) => watch(name, call))],
    ]),
    drain: draining.resolve,
  }
}

function onRequest(answer: (service: string, call: Call) => unknown): Handler {
  const reply = (input: unknown, call: Call): Reply => ({
    output: answer((input as { readonly service: string }).service, call),
    metadata: undefined,
    trailers: undefined,
  })
  return (call) => {
    const input = call.input()
    return input instanceof Promise ? input.then((value) => reply(value, call)) : reply(input, call)
  }
}
