// node:http by hand: JSON.parse, JSON.stringify, no validation, no router.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serveBench } from '../harness/server-process.ts'

const server = createServer((request, response) => {
  let body = ''
  request.setEncoding('utf8')
  request.on('data', (chunk: string) => (body += chunk))

  request.on('end', () => {
    const reply = JSON.stringify(JSON.parse(body))
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(reply),
    })
    response.end(reply)
  })
})

server.listen(0, '127.0.0.1', () => {
  serveBench({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/echo` })
})
