/** What happens when the two sides of a connection hold different versions of a contract: only harmless differences pass. */
import { CallError } from '../../call/error.ts'
import type { Logger } from '../../call/logger.ts'
import type { Peer } from '../../call/peer.ts'
import { type ContractDescription, describe } from '../../contract/describe.ts'
import { diff } from '../../contract/diff.ts'
import { fromDescription } from '../../contract/from-description.ts'
import type { ContractInfo } from '../../contract/operation.ts'
import { ProtocolError } from './protocol-error.ts'

/** How many differences an error names. */
const namedAtMost = 5

/** The body of a DESCRIPTION. Throws ProtocolError when it is none. */
export function readDescriptions(json: Buffer): readonly ContractDescription[] {
  try {
    const list: unknown = JSON.parse(json.toString('utf8'))
    if (!Array.isArray(list)) throw new TypeError('it is no list')
    return list.map((each) => describe(fromDescription(each)))
  } catch (error) {
    throw new ProtocolError(`the server's description cannot be read: ${(error as Error).message}`)
  }
}

/**
 * Compares our contract with the server's.
 * @throws CallError `failed_precondition`, naming the fields, when calls would be misread.
 */
export function checkAgreement(
  ours: ContractInfo,
  served: readonly ContractDescription[],
  { log, peer }: { readonly log: Logger; readonly peer: Peer },
): void {
  const theirs = served.find(({ name }) => name === ours.name)
  if (theirs === undefined) throw new ProtocolError(`the server did not describe ${ours.name}`)

  const differences = diff(describe(ours), theirs).filter(({ wire }) => wire === undefined)
  const breaking = differences.filter((difference) => difference.breaking)

  if (breaking.length > 0) {
    const named = breaking.slice(0, namedAtMost).map(({ message }) => `${ours.name} ${message}`)
    if (breaking.length > namedAtMost) named.push(`and ${breaking.length - namedAtMost} more`)
    throw new CallError(
      'failed_precondition',
      `this side and ${peer.address} hold different versions of a contract that do not fit: ${named.join('; ')}`,
      { processed: 'no', origin: 'downstream' },
    )
  }

  if (differences.length > 0) {
    log.info(
      { contract: ours.name, peer: peer.address, differences: differences.map(({ message }) => message) },
      'trunk: the two sides hold different versions of a contract that fit',
    )
  }
}
