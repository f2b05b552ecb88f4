/**
 * The differences between two descriptions of one contract: what a handshake tells peers whose digests differ, and what
 * `trunkline diff` prints.
 *
 * Breaking is what makes one side misread or refuse what the other sends in good faith: a number, a type or a presence that
 * changed, a required field or an enum value that only one side knows. What one side simply does not know (an operation, a
 * fault, a field that may be left out) is not: nothing else suffers from it.
 */
import type { Difference } from './difference.ts'
import type {
  CallDescription,
  ContractDescription,
  FaultDescription,
  MessageDescription,
  OperationDescription,
} from './describe.ts'
import { compareBounds, compareNamed } from './diff-types.ts'
import { type Report, pairs } from './side-by-side.ts'
import { describeSlot } from './type-in-words.ts'

/**
 * All differences between our description of a contract and theirs, in the order of ours. Docs, scopes and default
 * time-outs are each side's own and are not compared.
 *
 * @example
 * ```ts
 * import { call, contract, contractInfo, describe, diff } from 'trunkline'
 * import * as z from 'zod'
 * import assert from 'node:assert/strict'
 *
 * const of = (total: z.ZodType) =>
 *   describe(contractInfo(contract('acme.bills.v1', { pay: call({ input: z.object({ total }) }) })))
 * const [difference] = diff(of(z.int32()), of(z.int64()))
 * assert.equal(difference?.path, 'PayRequest.total')
 * assert.equal(difference?.breaking, true)
 * ```
 */
export function diff(ours: ContractDescription, theirs: ContractDescription): readonly Difference[] {
  const differences: Difference[] = []

  const report: Report = (path, our, their, breaking, what, wire) => {
    differences.push({
      path,
      ours: our,
      theirs: their,
      wire,
      breaking,
      message: `${path}: ${what}${our !== undefined && their !== undefined ? ` is ${our} here and ${their} there` : ''}`,
    })
  }

  if (ours.name !== theirs.name) report('contract', ours.name, theirs.name, true, 'the name')
  if (ours.grpcService !== theirs.grpcService) {
    report('contract', ours.grpcService, theirs.grpcService, true, 'the gRPC service', 'grpc')
  }
  if (ours.soapNamespace !== theirs.soapNamespace) {
    report('contract', ours.soapNamespace, theirs.soapNamespace, true, 'the SOAP namespace', 'soap')
  }

  for (const [name, our, their] of pairs(ours.operations, theirs.operations)) {
    if (our === undefined) report(name, undefined, their?.kind, false, 'this operation is only there')
    else if (their === undefined) report(name, our.kind, undefined, false, 'this operation is only here')
    else compareOperations(name, our, their, report)
  }

  for (const [name, our, their] of pairs(ours.types, theirs.types)) {
    // A type on one side alone is reported where it is used.
    if (our !== undefined && their !== undefined) compareNamed(name, our, their, report)
  }

  return differences
}

function compareOperations(
  name: string,
  our: OperationDescription,
  their: OperationDescription,
  report: Report,
): void {
  if (our.kind === 'call' && their.kind === 'call') compareCalls(name, our, their, report)
  else if (our.kind === 'task' && their.kind === 'task') {
    compareMessages(`${name} input`, our.input, their.input, report)
    compareMessages(`${name} output`, our.output, their.output, report)
  } else if (our.kind === 'event' && their.kind === 'event') {
    compareMessages(`${name} payload`, our.payload, their.payload, report)
    if (our.orderBy !== their.orderBy) {
      report(`${name} orderBy`, String(our.orderBy), String(their.orderBy), false, 'the order')
    }
  } else if (our.kind === 'collection' && their.kind === 'collection') {
    compareMessages(`${name} key`, our.key, their.key, report)
    compareMessages(`${name} value`, our.value, their.value, report)
  } else {
    report(name, our.kind, their.kind, true, 'the kind')
    return
  }

  if (our.kind !== 'call' && their.kind !== 'call' && our.topic !== their.topic) {
    report(`${name} topic`, our.topic, their.topic, true, 'the topic')
  }
}

function compareCalls(name: string, our: CallDescription, their: CallDescription, report: Report): void {
  compareMessages(`${name} input`, our.input, their.input, report)
  compareMessages(`${name} output`, our.output, their.output, report)

  for (const [fault, ourFault, theirFault] of pairs(our.faults ?? {}, their.faults ?? {})) {
    compareFaults(`${name} fault ${fault}`, ourFault, theirFault, report)
  }

  if (our.idempotency !== their.idempotency) {
    report(
      `${name} idempotency`,
      our.idempotency ?? 'undeclared',
      their.idempotency ?? 'undeclared',
      false,
      'the idempotency',
    )
  }

  // Names on one wire each: they break that wire, and none else.
  const ourRest = our.rest as unknown as Readonly<Record<string, unknown>>
  const theirRest = their.rest as unknown as Readonly<Record<string, unknown>>
  for (const [key, ourPart, theirPart] of pairs(ourRest, theirRest)) {
    const [one, other] = [JSON.stringify(ourPart), JSON.stringify(theirPart)]
    if (one !== other)
      report(
        `${name} rest ${key}`,
        one ?? 'none',
        other ?? 'none',
        key !== 'status' && key !== 'implied',
        `${key} on REST`,
        'rest',
      )
  }

  if (our.grpc !== their.grpc)
    report(`${name} grpc`, our.grpc, their.grpc, true, 'the method on gRPC', 'grpc')

  for (const key of ['action', 'element'] as const) {
    if (our.soap[key] !== their.soap[key]) {
      report(`${name} soap ${key}`, our.soap[key], their.soap[key], true, `the ${key} on SOAP`, 'soap')
    }
  }
}

function compareFaults(
  path: string,
  our: FaultDescription | undefined,
  their: FaultDescription | undefined,
  report: Report,
): void {
  if (our === undefined) report(path, undefined, their?.code, false, 'this fault is only there')
  else if (their === undefined) report(path, our.code, undefined, false, 'this fault is only here')
  else {
    if (our.code !== their.code) report(path, our.code, their.code, true, 'the code')
    if (our.http !== their.http) report(path, String(our.http), String(their.http), false, 'the HTTP status')
    compareMessages(`${path} detail`, our.detail, their.detail, report)
  }
}

function compareMessages(
  path: string,
  our: MessageDescription | undefined,
  their: MessageDescription | undefined,
  report: Report,
): void {
  const describeOne = (message: MessageDescription | undefined) =>
    message === undefined
      ? 'nothing'
      : `${message.stream === true ? 'a stream of ' : ''}${describeSlot(message.root)}`

  const [one, other] = [describeOne(our), describeOne(their)]
  if (one !== other) report(path, one, other, true, 'it')
  else if (our !== undefined && their !== undefined) compareBounds(path, our.root, their.root, report)
}
