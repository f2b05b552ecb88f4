// Compares functions in one process: all of a group run alternately (A B C A B C …) in rounds, so that whatever the machine
// does meanwhile hits all of them; only ratios within a round are compared.
//
//     export default inProcess({
//       title: 'protobuf codec',
//       about: 'The reference Order, …',
//       groups: [
//         {
//           name: 'encode',
//           contenders: [
//             { name: 'trunkline', run: () => ours.encode(order), check: (bytes) => assert.deepEqual(bytes, expected) },
//             { name: 'protobufjs', run: () => theirs.encode(order).finish(), atLeast: 2.5 },
//           ],
//         },
//       ],
//     })

import { ratio, table, figure } from './markdown.ts'
import type { Effort, Result, Scenario, Target } from './scenario.ts'
import { ratios, spread } from './statistics.ts'

/** One function that does the work of its group. */
export interface Contender {
  name: string
  /** Does the work once and returns its result. */
  run: () => unknown
  /** Throws if a result is wrong; called before, between and after the rounds. */
  check?: (result: any) => void
  /** The promise of ours against this one: the first contender takes at least this many times less time. */
  atLeast?: number
}

/** Contenders that do the same work; the first is ours, the others are compared to it. */
export interface Group {
  name: string
  contenders: Contender[]
}

/** What `inProcess` takes. */
export interface InProcess {
  title: string
  about: string
  groups: Group[] | (() => Group[] | Promise<Group[]>)
}

/** A scenario of functions in this process. */
export function inProcess(options: InProcess): Scenario {
  return {
    title: options.title,
    about: options.about,
    run: async (effort) => {
      const groups = typeof options.groups === 'function' ? await options.groups() : options.groups
      return report(groups.map((group) => measureGroup(group, effort)))
    },
  }
}

/** Nanoseconds per run, a round each, of every contender of a group. */
export interface Measured {
  group: Group
  nanoseconds: number[][]
}

/** Measures one group. */
export function measureGroup(group: Group, effort: Effort): Measured {
  const loops = group.contenders.map((contender) => createLoop(contender))
  const nanoseconds: number[][] = group.contenders.map(() => [])

  // A turn is short against a round's length, so that all contenders of a round meet the same weather.
  const turn = (effort.seconds * 1e9) / TURNS
  const counts = loops.map((loop) => warmUp(loop, turn))
  for (const contender of group.contenders) contender.check?.(contender.run())

  for (let round = 0; round < effort.rounds; round++) {
    const totals = loops.map(() => 0)

    for (let step = 0; step < TURNS; step++) {
      for (const [index, loop] of loops.entries()) {
        const started = process.hrtime.bigint()
        loop(counts[index]!)
        totals[index]! += Number(process.hrtime.bigint() - started)
      }
    }

    for (const [index, total] of totals.entries()) nanoseconds[index]!.push(total / TURNS / counts[index]!)
    for (const contender of group.contenders) contender.check?.(contender.run())
  }

  return { group, nanoseconds }
}

const TURNS = 10

type Loop = (count: number) => void

/** Keeps results alive, so that the work cannot be optimised away. */
let sink: unknown

/**
 * A loop of the contender's own: were it shared, its call site would see several functions and V8 would inline none of
 * them; that costs the fast contenders more than the slow ones.
 */
function createLoop(contender: Contender): Loop {
  const source = 'return (count) => { for (let i = 0; i < count; i++) keep(run()) }'
  const keep = (value: unknown): void => {
    sink = value
  }

  return new Function('run', 'keep', source)(contender.run, keep) as Loop
}

/** Runs a loop until it is compiled, and returns how many runs fill one turn. */
function warmUp(loop: Loop, turn: number): number {
  let count = 16
  let spent = 0

  for (;;) {
    const started = process.hrtime.bigint()
    loop(count)
    const took = Number(process.hrtime.bigint() - started)
    spent += took

    if (took >= turn / 2 && spent >= 3 * turn) return Math.max(1, Math.round((count * turn) / took))
    if (took < turn / 2) count *= 2
  }
}

function report(measured: readonly Measured[]): Result {
  const rows = [['', 'ns', 'ours is faster by (min–max of the rounds)']]
  const targets: Target[] = []

  for (const { group, nanoseconds } of measured) {
    const ours = nanoseconds[0]!

    for (const [index, contender] of group.contenders.entries()) {
      const faster = ratios(ours, nanoseconds[index]!)
      const time = figure(spread(nanoseconds[index]!).median)
      rows.push([`${group.name}: ${contender.name}`, time, index === 0 ? '' : ratio(faster)])

      if (contender.atLeast !== undefined) {
        const what = `${group.name}: times faster than ${contender.name}`
        targets.push({ what, measured: faster.median, atLeast: contender.atLeast })
      }
    }
  }

  void sink
  return { report: table(rows), targets }
}
