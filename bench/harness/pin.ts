// Processor cores: the server's is 0, the client's is 1 (on a machine with one core both are 0).

import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

/** The core of the server, and the core of the client. */
export const CORES = { server: 0, client: availableParallelism() > 1 ? 1 : 0 }

const hasTaskset = spawnSync('taskset', ['--version']).status === 0

/** A command that runs on one core only; where there is no `taskset`, the command as it is. */
export function pinned(core: number, command: readonly string[]): string[] {
  return hasTaskset ? ['taskset', '-c', String(core), ...command] : [...command]
}

/** Moves this process, with all its threads, to one core. */
export function pinSelf(core: number): void {
  if (hasTaskset) spawnSync('taskset', ['-acp', String(core), String(process.pid)])
}
