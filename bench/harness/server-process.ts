// A server's side of the child protocol: says where it listens, and answers questions about its memory.

import { createInterface } from 'node:readline'
import { collected } from './collected.ts'

/** Tells the bench that the server is ready, and answers `{"memory": true}`. */
export function serveBench(ready: { port: number } | { url: string }): void {
  console.log(JSON.stringify({ ready }))

  createInterface({ input: process.stdin })
    .on('close', () => process.exit(0))
    .on('line', async () => {
      console.log(JSON.stringify(await collected()))
    })
}
