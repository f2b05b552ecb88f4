// From the outcomes of tests to the state of every feature.

import { matchesGlob } from 'node:path'
import type { Feature, Proof, WireName } from '../features.ts'
import type { TestOutcome } from '../test/run-file.ts'

/** What every test file did, by its path. */
export type Outcomes = ReadonlyMap<string, readonly TestOutcome[]>

/** Whether something is proved, and if it is not, why. */
export interface Verdict {
  state: 'passed' | 'failed' | 'skipped'
  why: string
}

/** A feature with its verdicts. */
export interface Verified {
  feature: Feature
  verdict: Verdict
  judge: Verdict | undefined
}

/** Judges a feature by the tests that ran. */
export function verify(feature: Feature, outcomes: Outcomes): Verified {
  const wires: (WireName | undefined)[] = feature.wires === undefined ? [undefined] : [...feature.wires]
  const perWire = wires.map((wire) => decide(select(feature.proof, outcomes, wire), wire))

  const judge = feature.judge && decide(select(feature.judge, outcomes, undefined), undefined)
  return { feature, verdict: worst(perWire), judge }
}

interface Selected extends TestOutcome {
  file: string
}

function select(proof: Proof, outcomes: Outcomes, wire: WireName | undefined): Selected[] {
  return [...outcomes]
    .filter(([file]) => matchesGlob(file, proof.files))
    .flatMap(([file, tests]) => tests.map((test) => ({ ...test, file })))
    .filter((test) => proof.name === undefined || proof.name.test(test.name))
    .filter((test) => wire === undefined || mentions(test, wire))
}

/** A wire's own tests lie in its folder; those of the cross-wire suite end in `over trunk` or `over trunk over TLS`. */
function mentions(test: Selected, wire: WireName): boolean {
  if (!test.file.includes('cross-wire')) return true
  return new RegExp(`over ${wire}(?![\\w-])`, 'i').test(test.name)
}

function decide(tests: readonly Selected[], wire: WireName | undefined): Verdict {
  const on = wire === undefined ? '' : ` on ${wire}`
  if (tests.length === 0) return { state: 'failed', why: `no test proves it${on}` }

  const failed = tests.find((test) => test.state === 'failed')
  if (failed !== undefined) return { state: 'failed', why: `${failed.file}: ${failed.name}` }

  const skipped = tests.find((test) => test.state === 'skipped')
  if (skipped !== undefined) return { state: 'skipped', why: skipped.detail }

  return { state: 'passed', why: `${tests.length} tests${on}` }
}

function worst(verdicts: readonly Verdict[]): Verdict {
  const found =
    verdicts.find((verdict) => verdict.state === 'failed') ??
    verdicts.find((verdict) => verdict.state === 'skipped')

  return found ?? { state: 'passed', why: verdicts.map((verdict) => verdict.why).join(', ') }
}
