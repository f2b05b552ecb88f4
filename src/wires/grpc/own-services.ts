/** The services that a gRPC server has besides its contracts: health and reflection. */
import type { Host } from '../wire.ts'
import { healthContract, healthService } from './health.ts'
import { reflectionServices } from './reflection.ts'
import { reflectionV1, reflectionV1Alpha } from './reflection-contract.ts'
import type { OwnServices } from './server.ts'

/** Makes them. Those that a contract of the host is called like are the contract's. */
export function ownServices(host: Host, { reflection }: { readonly reflection: boolean }): OwnServices {
  const served = [...host.operations.values()].map(({ grpc }) => grpc.slice(0, grpc.indexOf('/')))
  const own = [healthContract, ...(reflection ? [reflectionV1, reflectionV1Alpha] : [])].filter(
    ({ grpcService }) => !served.includes(grpcService),
  )
  const names = new Set([...served, ...own.map(({ grpcService }) => grpcService)])

  const health = healthService(host, names)
  const contracts = [...host.contracts, ...own]
  const reflected = reflection ? reflectionServices(host, [...names].toSorted(), contracts) : []
  return { services: [health.service, ...reflected], drain: () => health.drain() }
}
