/** How many runs a property gets: the usual number times `TRUNKLINE_FUZZ_RUNS`. */
export function runs(usual: number): number {
  return Math.max(1, Math.round(usual * Number(process.env.TRUNKLINE_FUZZ_RUNS ?? 1)))
}
