// grpc-go's client and server, built from go-echo/ when they are first asked for.

import { join } from 'node:path'
import { go } from '../../scripts/judges.ts'
import { once, run } from '../../scripts/judges/cache.ts'
import type { Program } from '../harness/paired.ts'

const version = 'bench-go-echo-1'

/** `server`, or `client`. */
export function goEcho(side: 'server' | 'client'): Program {
  return async () => {
    const program = await once(version, async (folder) => {
      await run(go(), ['build', '-o', join(folder, 'echo'), '.'], join(import.meta.dirname, 'go-echo'))
      return join(folder, 'echo')
    })
    return ['env', 'GOMAXPROCS=1', program, side]
  }
}
