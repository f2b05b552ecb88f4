// Figures over rounds.

/** The spread of one figure over the rounds. */
export interface Spread {
  min: number
  median: number
  max: number
}

/** Minimum, median and maximum of at least one value. */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  return { min: sorted[0] ?? NaN, median: percentile(sorted, 50), max: sorted.at(-1) ?? NaN }
}

/** The percentile (0 to 100) of values that are sorted already, nearest rank. */
export function percentile(sorted: readonly number[], percent: number): number {
  const index = Math.ceil((percent / 100) * sorted.length) - 1
  return sorted[Math.max(0, index)] ?? NaN
}

/** `base / ours` round by round: how many times less ours needs than the other. */
export function ratios(ours: readonly number[], base: readonly number[]): Spread {
  return spread(ours.map((value, round) => (base[round] ?? NaN) / value))
}

/** How much a value grows from one sample to the next: the median of the slopes between all pairs (Theil and Sen). */
export function slope(samples: readonly number[]): number {
  const slopes = samples.flatMap((from, i) => samples.slice(i + 1).map((to, j) => (to - from) / (j + 1)))
  return spread(slopes).median
}
