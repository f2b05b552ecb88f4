import { digestOf } from './digest.ts'
import type { ContractInfo } from './operation.ts'

/** Adds what follows from the rest: the package, and the digest on first use. */
export function contractInfoOf(parts: Omit<ContractInfo, 'digest' | 'grpcPackage'>): ContractInfo {
  let digest: string | undefined

  return {
    ...parts,
    grpcPackage: parts.grpcService.split('.').slice(0, -1).join('.'),
    get digest() {
      return (digest ??= digestOf(this))
    },
  }
}
