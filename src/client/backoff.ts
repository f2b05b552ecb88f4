/** How long to wait before the next attempt to connect: doubling, jittered, as gRPC's connection back-off does it. */
export interface BackoffOptions {
  /** The first wait, in milliseconds. */
  readonly first: number
  readonly factor: number
  /** The longest wait, in milliseconds. */
  readonly longest: number
  /** The part of a wait by which it varies either way. */
  readonly jitter: number
}

/** Faster than gRPC's second at first: within one network a server that restarts is back in less. */
export const defaultBackoff: BackoffOptions = { first: 100, factor: 1.6, longest: 15_000, jitter: 0.2 }

/** The wait after `failures` failed attempts in a row (1 or more), in milliseconds. */
export function backoff(
  failures: number,
  options: BackoffOptions,
  random: () => number = Math.random,
): number {
  const plain = Math.min(options.longest, options.first * options.factor ** (failures - 1))
  return plain * (1 + options.jitter * (2 * random() - 1))
}
