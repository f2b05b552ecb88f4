// The HTTP/1.1 client without wires: posts the reference Order as JSON and parses the answer, 64 calls at a time.
// `node bench/systems/http1-raw-client.ts <port> [engine] [seconds]`, engine `own` (default), `request` (undici) or
// `pool` (undici's Pool). Prints calls per second and CPU µs per call.
import net from 'node:net'
import { once } from 'node:events'
import { Pool, request } from 'undici'
import { collector } from '../../src/http/body.ts'
import { HttpHeaders } from '../../src/http/headers.ts'
import { http1Transport } from '../../src/http1/client.ts'
import { order } from '../order.ts'

const [port, engine = 'own', seconds = '2'] = process.argv.slice(2)
const concurrency = 64
const origin = `http://127.0.0.1:${port}`
const type = { 'content-type': 'application/json' }

const transport = http1Transport(async () => {
  const socket = net.connect({ port: Number(port), host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  return socket
})
const fields = Object.freeze(new HttpHeaders(['content-type', 'application/json']))
const head = { method: 'POST', target: '/orders', authority: `127.0.0.1:${port}`, headers: fields }

function own(body: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const rest = collector(1 << 20, [], (bytes, why) => {
      if (bytes === undefined) reject(new Error(why?.message))
      else resolve(JSON.parse(bytes.latin1Slice(0, bytes.length)))
    })
    transport.request(head, body, {
      head: () => {},
      data: (bytes, start, end) => rest.data(bytes, start, end),
      end: (trailers) => rest.end(trailers),
      abort: (why) => rest.abort(why),
    })
  })
}

const pool = new Pool(origin, { connections: concurrency, pipelining: 1 })
const calls: Record<string, (body: string) => Promise<unknown>> = {
  own,
  request: async (body) => {
    const answer = await request(`${origin}/orders`, { method: 'POST', body, headers: type })
    return answer.body.json()
  },
  pool: async (body) => {
    const answer = await pool.request({ path: '/orders', method: 'POST', body, headers: type })
    return answer.body.json()
  },
}
const call = calls[engine]
if (call === undefined) throw new Error(`no engine ${engine}; there are ${Object.keys(calls).join(', ')}`)

async function measure(milliseconds: number): Promise<{ count: number; cpu: number; time: number }> {
  let count = 0
  const start = performance.now()
  const before = process.cpuUsage()
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (performance.now() - start < milliseconds) {
        const answer = (await call?.(JSON.stringify(order))) as typeof order
        if (answer.id !== order.id) throw new Error('a wrong answer')
        count++
      }
    }),
  )
  const { user, system } = process.cpuUsage(before)
  return { count, cpu: user + system, time: performance.now() - start }
}

await measure(1000)
const { count, cpu, time } = await measure(Number(seconds) * 1000)
console.log(
  `${engine}: ${Math.round((count / time) * 1000)} calls/s, ${(cpu / count).toFixed(1)} µs CPU per call`,
)
process.exit(0)
