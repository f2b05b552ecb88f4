// The side of the child protocol that opens connections and keeps them: `{"open": n}` → `{"open": total}`.

import { createInterface } from 'node:readline'
import { collected } from './collected.ts'

/** Answers the bench: opens connections one by one, and tells this process's memory. */
export function answerOpens(open: () => Promise<void>): void {
  let total = 0
  console.log(JSON.stringify({ ready: {} }))

  createInterface({ input: process.stdin })
    .on('close', () => process.exit(0))
    .on('line', async (line) => {
      const question = JSON.parse(line) as { open?: number }

      for (let left = question.open ?? 0; left > 0; left--) {
        await open()
        total++
      }

      if (question.open !== undefined) {
        console.log(JSON.stringify({ open: total }))
        return
      }

      console.log(JSON.stringify(await collected()))
    })
}
