// A user's program in TypeScript: what is inferred is used as what it is.

import {
  call,
  connect,
  contract,
  implement,
  isFault,
  fault,
  serve,
  type Client,
  type Handlers,
} from 'trunkline'
import * as z from 'zod'

const Greeter = contract('acme.greeter.v1', {
  greet: call({
    input: z.object({ name: z.string() }),
    output: z.object({ text: z.string(), length: z.int32() }),
    faults: { rude: fault('invalid_argument', z.object({ word: z.string() })) },
  }),
})

const handlers: Handlers<typeof Greeter> = {
  greet({ name }, ctx) {
    if (name === 'boo') throw ctx.fault.rude({ word: name })
    return { text: `Hello ${name}`, length: name.length }
  },
}

const server = await serve(implement(Greeter, handlers), { port: 0 })
const client: Client<typeof Greeter> = connect(Greeter, `trunk://127.0.0.1:${server.port}`)

const { text, length } = await client.greet({ name: 'Ada' }, { timeout: '5s' })
const joined: string = text + length.toFixed()
if (joined !== 'Hello Ada3') throw new Error(`got ${joined}`)

try {
  await client.greet({ name: 'boo' })
  throw new Error('no fault came')
} catch (error) {
  if (!isFault(error, Greeter.greet, 'rude')) throw error
  const word: string = error.fault.detail.word
  if (word !== 'boo') throw error
}

// @ts-expect-error a name is a string
const wrong = (): unknown => client.greet({ name: 1 })
void wrong

await client[Symbol.asyncDispose]()
await server.close()
console.log(`works ${server.port}`)
