// tonic's client and server, built from tonic-echo/ when they are first asked for.

import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { cargo } from '../../scripts/judges.ts'
import { once, run } from '../../scripts/judges/cache.ts'
import type { Program } from '../harness/paired.ts'

const version = 'bench-tonic-echo-1'

/** `server`, or `client`. */
export function tonicEcho(side: 'server' | 'client'): Program {
  return async () => {
    const program = await once(version, async (folder) => {
      // Cargo writes its lockfile beside the manifest.
      cpSync(join(import.meta.dirname, 'tonic-echo'), folder, { recursive: true })
      await run(cargo(), ['build', '--release', '--quiet'], folder)
      return join(folder, 'target', 'release', 'tonic-echo')
    })
    return [program, side]
  }
}
