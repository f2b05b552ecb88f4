// wrk as a client of an HTTP server that echoes the reference Order: keep-alive connections, one thread. Before and after
// every turn one reply is verified field by field; within it wrk counts what is not 2xx, and the bytes of every reply must
// come to the same number.

import { spawn } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { answerTurns, type Turn, type TurnOptions } from '../harness/client-process.ts'
import { isEcho, order } from '../order.ts'

const url = process.argv[2] ?? ''
const script = join(mkdtempSync(join(tmpdir(), 'trunkline-wrk-')), 'post.lua')

// The summary is printed as JSON: what wrk prints for people is rounded.
writeFileSync(
  script,
  `wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.body = '${JSON.stringify(order)}'
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('\\n{"requests":%d,"bytes":%d,"microseconds":%d,"errors":%d,"p50":%f,"p99":%f}\\n',
    summary.requests, summary.bytes, summary.duration, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
`,
)

let bytesPerReply: number | undefined

answerTurns(async (options) => {
  await verifyOne()
  const summary = await wrk(options)
  await verifyOne()

  const bytes = Math.round(summary.bytes / summary.requests)
  bytesPerReply ??= bytes
  const errors = Math.abs(bytes - bytesPerReply) > 1 ? summary.requests : summary.errors
  const turn: Turn = {
    calls: summary.requests - summary.errors,
    errors,
    p50: summary.p50,
    p99: summary.p99,
    milliseconds: summary.microseconds / 1000,
  }
  return turn
})

async function verifyOne(): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(order),
  })

  const reply = await response.json()
  if (!isEcho(order, reply as typeof order)) throw new Error(`not an echo: ${JSON.stringify(reply)}`)
}

interface Summary {
  requests: number
  bytes: number
  microseconds: number
  errors: number
  p50: number
  p99: number
}

function wrk(options: TurnOptions): Promise<Summary> {
  const seconds = Math.max(1, Math.round(options.milliseconds / 1000))
  const args = ['-t1', `-c${options.concurrency}`, `-d${seconds}s`, '--latency', '-s', script, url]
  const child = spawn(process.env['TRUNKLINE_WRK'] ?? 'wrk', args, { stdio: ['ignore', 'pipe', 'inherit'] })

  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))

  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      const json = output.split('\n').find((line) => line.startsWith('{'))
      if (code === 0 && json !== undefined) resolve(JSON.parse(json))
      else reject(new Error(`wrk ended with exit code ${code}:\n${output}`))
    })
  })
}
