import assert from 'node:assert/strict'
import test from 'node:test'
import { type Balanced, LoadEstimate, choose } from './balancer.ts'

/** Numbers in [0, 1), the same at every run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

interface Backend extends Balanced {
  readonly index: number
  calls: number
}

/** How long a call takes: by backend, its number there, when it begins, and how many are open there. */
type Service = (
  call: { index: number; number: number; now: number; pending: number },
  random: () => number,
) => number

type Pick = (all: readonly Backend[], now: number, random: () => number) => Backend

interface Load {
  readonly backends: number
  /** The mean of the time between calls in milliseconds; they come at random. */
  readonly every: number
  readonly calls: number
  readonly service: Service
  readonly pick?: Pick
  readonly seed?: number
}

const backend = (index = 0): Backend => ({ index, estimate: new LoadEstimate(), rank: 0, calls: 0 })

/** Calls of one client under a clock of its own: each backend's share in per cent, and the 99th percentile in milliseconds. */
function simulate({ backends, every, calls, service, pick = choose, seed = 7 }: Load) {
  const random = seeded(seed)
  const all = Array.from({ length: backends }, (_, index) => backend(index))
  const open: { readonly at: number; readonly end: () => void }[] = []
  const latencies: number[] = []
  let now = 0

  for (let call = 0; call < calls; call++) {
    now += -Math.log(1 - random()) * every
    open.sort((one, other) => other.at - one.at)
    while (open.length > 0 && (open.at(-1)?.at ?? 0) <= now) open.pop()?.end()

    const chosen = pick(all, now, random)
    const { index, estimate } = chosen
    const elapsed = service({ index, number: chosen.calls++, now, pending: estimate.pending }, random)
    const at = now + elapsed
    estimate.enter()
    const end = () => {
      estimate.leave()
      estimate.observe(elapsed, at)
      latencies.push(elapsed)
    }
    open.push({ at, end })
  }

  latencies.sort((one, other) => one - other)
  return {
    shares: all.map((each) => (each.calls / calls) * 100),
    p99: latencies[Math.floor(latencies.length * 0.99)] as number,
  }
}

/** Times of a mean, exponentially distributed. */
const around = (mean: number, random: () => number) => -Math.log(1 - random()) * mean

/** Ten backends at a low load, of which the first is so many times slower. */
const tenBackends = (slowness: number, pick?: Pick) =>
  simulate({
    backends: 10,
    every: 2.5,
    calls: 20_000,
    service: ({ index }, random) => around(index === 0 ? 10 * slowness : 10, random),
    ...(pick === undefined ? {} : { pick }),
  })

test('one slow endpoint among ten hardly shows in the 99th percentile', () => {
  let next = 0
  const inTurn: Pick = (all) => all[next++ % all.length] as Backend
  const healthy = tenBackends(1).p99
  const balanced = tenBackends(10)
  const roundRobin = tenBackends(10, inTurn).p99

  assert.ok(balanced.p99 <= healthy * 1.1, `${balanced.p99} against ${healthy} of a healthy cluster`)
  assert.ok(roundRobin > balanced.p99 * 2, `round robin: ${roundRobin}`)
  assert.ok((balanced.shares[0] ?? 0) < 0.5, `the slow one got ${balanced.shares[0]} %`)
})

/** What equal servers are like: alike in the long run, and different at every moment. */
const equalServices: readonly (readonly [string, Service])[] = [
  ['answers that vary', (_, random) => around(10, random)],
  [
    'quick answers, and one of 500 that takes 50 times as long',
    (_, random) => 0.3 + random() * 0.2 + (random() < 0.002 ? 20 : 0),
  ],
  [
    'first calls that take 60 ms here and 25 ms there',
    ({ index, number }, random) => (number === 0 ? ([60, 25][index] as number) : 0.3 + random() * 0.2),
  ],
  [
    'code that gets quicker while it runs',
    ({ number }, random) => 0.3 + random() * 0.2 + 10 * Math.exp(-number / 50),
  ],
  ['time that grows with the calls open', ({ pending }, random) => 0.5 * (pending + 1) * (0.5 + random())],
]

for (const [what, service] of equalServices) {
  for (const [load, every] of [
    ['10 calls a second', 100],
    ['100 calls a second', 10],
    ['2,000 calls a second', 0.5],
  ] as const) {
    test(`equal endpoints get equal shares: ${what}, ${load}`, () => {
      for (const seed of [1, 2, 3]) {
        const { shares } = simulate({ backends: 2, every, calls: 3_000, service, seed })
        for (const share of shares)
          assert.ok(share >= 45 && share <= 55, `seed ${seed}: ${shares.join(' : ')}`)
      }
    })
  }
}

for (const [load, every] of [
  ['10 calls a second', 100],
  ['100 calls a second', 10],
  ['2,000 calls a second', 0.5],
] as const) {
  test(`an endpoint that takes ten times as long is avoided, ${load}`, () => {
    for (const seed of [1, 2, 3]) {
      const service: Service = ({ index }, random) => around(index === 0 ? 100 : 10, random)
      const { shares } = simulate({ backends: 2, every, calls: 3_000, service, seed })
      assert.ok((shares[0] ?? 100) < 5, `seed ${seed}: ${shares.join(' : ')}`)
    }
  })
}

test('an endpoint that becomes slow loses its calls, and gets them back when it is well again', () => {
  const count = { before: 0, while: 0, after: 0 }
  const service: Service = ({ index, now }, random) => {
    const when = now < 20_000 ? 'before' : now < 60_000 ? 'while' : now < 80_000 ? undefined : 'after'
    if (index === 0 && when !== undefined) count[when]++
    return around(index === 0 && now >= 20_000 && now < 60_000 ? 100 : 10, random)
  }
  simulate({ backends: 2, every: 10, calls: 10_000, service })

  assert.ok(count.before > 900, `before: ${count.before} of 2,000`)
  assert.ok(count.while < 200, `while it is slow: ${count.while} of 4,000`)
  assert.ok(count.after > 900, `after: ${count.after} of 2,000`)
})

test('only endpoints of the best rank are chosen, and tried ones only when all were', () => {
  const random = seeded(5)
  const [a, b, c] = [backend(), { ...backend(), rank: 2 as const }, backend()]
  for (let i = 0; i < 100; i++) assert.notEqual(choose([a, b, c], i, random), b)
  for (let i = 0; i < 100; i++) assert.equal(choose([a, b, c], i, random, new Set([a])), c)
  assert.equal(choose([b], 0, random, new Set([b])), b)
  assert.ok([a, c].includes(choose([a, b, c], 0, random, new Set([a, b, c]))))
})

test('of endpoints that are alike the one with fewer calls open gets the next', () => {
  const random = seeded(11)
  const [a, b] = [backend(), backend()]
  a.estimate.enter()
  for (let i = 0; i < 100; i++) assert.equal(choose([a, b], i, random), b)
})

test('a slow endpoint gets calls when the quick one has as many more open', () => {
  const random = seeded(13)
  const [slow, quick] = [backend(), backend()]
  for (let i = 0; i < 20; i++) {
    slow.estimate.observe(40, i)
    quick.estimate.observe(10, i)
  }
  for (let i = 0; i < 2; i++) quick.estimate.enter()
  assert.equal(choose([slow, quick], 20, random), quick)
  for (let i = 0; i < 2; i++) quick.estimate.enter()
  assert.equal(choose([slow, quick], 20, random), slow)
})

test('what one slow answer says is little, what several say is much, and it is forgotten with time', () => {
  const [one, other] = [new LoadEstimate(), new LoadEstimate()]
  for (let i = 0; i < 100; i++) {
    one.observe(10, i)
    other.observe(10, i)
  }
  one.observe(500, 100)
  assert.ok(one.timesAs(other, 100) < Math.log(1.5))
  for (let i = 0; i < 20; i++) one.observe(500, 100)
  assert.ok(one.timesAs(other, 100) > Math.log(5))
  other.observe(10, 60_000)
  assert.ok(one.timesAs(other, 60_000) < 0)
})
