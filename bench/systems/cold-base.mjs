// What any HTTP service of zod users does at start: imports zod and node:http, and listens.
import { createServer } from 'node:http'
import * as z from 'zod'

const Order = z.object({ id: z.string(), sku: z.string(), quantity: z.int32() })

const server = createServer((request, response) => response.end(JSON.stringify(Order.parse(request.headers))))
server.listen(0, '127.0.0.1', () => console.log('ready'))
