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
  readonly name: string
  readonly busyUntil: number[]
  readonly slow: number
  calls: number
}

const backend = (name: string, slow = 1): Backend => ({
  name,
  slow,
  estimate: new LoadEstimate(),
  rank: 0,
  busyUntil: [],
  calls: 0,
})

/** Eight clients at a low load over ten backends, of which the first is ten times slower; returns the 99th percentile. */
function simulate(
  slowness: number,
  pick: (random: () => number, all: readonly Backend[], now: number) => Backend,
): number {
  const random = seeded(7)
  const all = Array.from({ length: 10 }, (_, i) => backend(`b${i}`, i === 0 ? slowness : 1))
  const ends: { at: number; run: () => void }[] = []
  const latencies: number[] = []
  let now = 0

  for (let call = 0; call < 20_000; call++) {
    now += -Math.log(1 - random()) * 2.5
    for (;;) {
      const next = ends.reduce(
        (best, end, i) => (end.at <= now && (best < 0 || end.at < (ends[best]?.at ?? 0)) ? i : best),
        -1,
      )
      if (next < 0) break
      ends.splice(next, 1)[0]?.run()
    }
    const chosen = pick(random, all, now)
    const started = now
    const elapsed = -Math.log(1 - random()) * 10 * chosen.slow
    chosen.calls++
    chosen.estimate.enter()
    ends.push({
      at: started + elapsed,
      run() {
        chosen.estimate.leave()
        chosen.estimate.observe(elapsed, started + elapsed)
        latencies.push(elapsed)
      },
    })
  }

  latencies.sort((a, b) => a - b)
  return latencies[Math.floor(latencies.length * 0.99)] as number
}

test('one slow endpoint among ten hardly shows in the 99th percentile', () => {
  const byLoad = (random: () => number, all: readonly Backend[], now: number) => choose(all, now, random)
  const inTurn = (() => {
    let next = 0
    return (_random: () => number, all: readonly Backend[]) => all[next++ % all.length] as Backend
  })()

  const healthy = simulate(1, byLoad)
  const balanced = simulate(10, byLoad)
  const roundRobin = simulate(10, inTurn)
  assert.ok(balanced <= healthy * 1.1, `${balanced} against ${healthy} of a healthy cluster`)
  assert.ok(roundRobin > balanced * 2, `round robin: ${roundRobin}`)
})

test('equal endpoints get equal shares', () => {
  const random = seeded(3)
  const all = Array.from({ length: 5 }, (_, i) => backend(`b${i}`))
  for (let i = 0; i < 10_000; i++) choose(all, i, random).calls++
  for (const { calls } of all) assert.ok(calls > 1_700 && calls < 2_300, String(calls))
})

test('only endpoints of the best rank are chosen, and tried ones only when all were', () => {
  const random = seeded(5)
  const [a, b, c] = [backend('a'), { ...backend('b'), rank: 2 as const }, backend('c')]
  for (let i = 0; i < 100; i++) assert.notEqual(choose([a, b, c], i, random), b)
  for (let i = 0; i < 100; i++) assert.equal(choose([a, b, c], i, random, new Set([a])), c)
  assert.equal(choose([b], 0, random, new Set([b])), b)
  assert.ok([a, c].includes(choose([a, b, c], 0, random, new Set([a, b, c]))))
})

test('a peak raises the estimate at once, and it is forgotten with time', () => {
  const estimate = new LoadEstimate()
  estimate.observe(10, 0)
  estimate.observe(500, 10)
  assert.ok(estimate.load(10) >= 499)
  estimate.observe(10, 20)
  assert.ok(estimate.load(20) > 400)
  assert.ok(estimate.load(60_000) < 5)
})
