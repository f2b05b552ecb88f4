// The same small application four times, in the frameworks that people have: what Trunkline is mounted in, or put in front of.

// Nest's dependency injection wants the polyfill to be there first.
// oxlint-disable-next-line import/no-unassigned-import
import 'reflect-metadata'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { Controller, Get, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express'
import express from 'express'
import fastify, { type onRequestHookHandler } from 'fastify'
import type { NodeHandler } from 'trunkline'

/** `node:http`'s listener, which may leave a request to whoever comes next. */
export type Middleware = (
  request: http.IncomingMessage,
  response: http.ServerResponse,
  next: (error?: unknown) => void,
) => unknown

export interface Application extends AsyncDisposable {
  /** What node:http would call for a request. */
  readonly handler: NodeHandler
}

export interface Framework {
  readonly name: string
  /** The application with a middleware before its own routes; `parsed`: behind its body parser. */
  make(middleware?: Middleware, parsed?: boolean): Promise<Application>
}

const old = (what: string) => `the old ${what}`
const nothing = async () => {}

/** Every application answers `GET /old/page`, echoes `POST /old/echo`, and fails at `/old/broken`. */
function raw(request: http.IncomingMessage, response: http.ServerResponse, rest: () => void): void {
  const [path] = (request.url ?? '').split('?', 1)
  switch (path) {
    case '/old/stream': {
      response.writeHead(200, { 'content-type': 'text/plain', 'x-framework': 'raw' })
      response.write('one,')
      setImmediate(() => response.end('two'))
      return
    }
    case '/old/echo': {
      response.writeHead(200, {
        'content-type': request.headers['content-type'] ?? 'application/octet-stream',
      })
      request.pipe(response)
      return
    }
    case '/old/seen': {
      response.setHeader('content-type', 'application/json')
      response.end(
        JSON.stringify({
          address: request.socket.remoteAddress,
          host: request.headers.host,
          length: request.headers['content-length'],
          chunked: request.headers['transfer-encoding'],
          forwarded: request.headers['x-forwarded-for'],
        }),
      )
      return
    }
    case '/old/cut': {
      response.writeHead(200, { 'content-type': 'text/plain' })
      response.write('half of ')
      setImmediate(() => response.destroy())
      return
    }
    case '/old/gone':
      request.socket.destroy()
      return
    default:
      rest()
  }
}

export const frameworks: readonly Framework[] = [
  {
    name: 'node:http',
    async make(middleware = (_request, _response, next) => next()) {
      return {
        handler: (request, response) =>
          middleware(request, response, () =>
            raw(request, response, () => {
              if (request.url === '/old/broken') throw new Error('secret')
              if (request.url?.split('?', 1)[0] === '/old/page') return response.end(old('page'))
              response.statusCode = 404
              return response.end(old('404'))
            }),
          ),
        [Symbol.asyncDispose]: nothing,
      }
    },
  },
  {
    name: 'Express',
    async make(middleware, parsed = false) {
      const app = express()
      app.disable('x-powered-by')
      app.use((request, response, next) => raw(request, response, next))
      if (parsed) app.use(express.json())
      if (middleware !== undefined) app.use(middleware)
      app.get('/old/page', (_request, response) => void response.send(old('page')))
      app.get('/old/broken', () => {
        throw Object.assign(new Error('secret'), { status: 500, expose: false })
      })
      app.use((_request, response) => void response.status(404).send(old('404')))
      app.set('env', 'production')
      app.use(((_error, _request, response, _next) => {
        response.status(500).send('it broke')
      }) as express.ErrorRequestHandler)
      return { handler: app, [Symbol.asyncDispose]: nothing }
    },
  },
  {
    name: 'fastify',
    async make(middleware, parsed = false) {
      const app = fastify()
      app.addHook('onRequest', (request, reply, done) => {
        raw(request.raw, reply.raw, done)
      })
      if (middleware !== undefined) {
        const hook: onRequestHookHandler = (request, reply, done) => {
          if (parsed) Object.assign(request.raw, { body: request.body })
          middleware(request.raw, reply.raw, done as (error?: unknown) => void)
        }
        if (parsed) app.addHook('preHandler', hook)
        else app.addHook('onRequest', hook)
      }
      app.get('/old/page', () => old('page'))
      app.get('/old/broken', (_request, reply) => reply.code(500).send('it broke'))
      if (parsed) app.post('/notes', () => 'not for fastify')
      app.setNotFoundHandler((_request, reply) => reply.code(404).send(old('404')))
      await app.ready()
      return {
        handler: (request, response) => app.routing(request, response),
        [Symbol.asyncDispose]: () => app.close(),
      }
    },
  },
  {
    name: 'NestJS',
    async make(middleware, parsed = false) {
      const app = await nest(parsed, middleware)
      return {
        handler: app.getHttpAdapter().getInstance() as NodeHandler,
        [Symbol.asyncDispose]: () => app.close(),
      }
    },
  },
]

class Pages {
  page(): string {
    return old('page')
  }

  broken(): string {
    throw new Error('secret')
  }
}

// Nest's modules are classes, with nothing in them.
// oxlint-disable-next-line typescript/no-extraneous-class
class Root {}

// Decorators are functions: called by hand, since TypeScript that Node runs as it is has none.
const descriptorOf = (name: 'page' | 'broken') =>
  Object.getOwnPropertyDescriptor(Pages.prototype, name) as PropertyDescriptor
Controller('old')(Pages)
Get('page')(Pages.prototype, 'page', descriptorOf('page'))
Get('broken')(Pages.prototype, 'broken', descriptorOf('broken'))
Module({ controllers: [Pages] })(Root)

async function nest(parsed: boolean, middleware: Middleware | undefined): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(Root, new ExpressAdapter(express()), {
    logger: false,
    bodyParser: false,
  })
  app.use(raw)
  if (parsed) app.useBodyParser('json')
  if (middleware !== undefined) app.use(middleware)
  await app.init()
  return app
}

/** Serves a handler as the applications' users do: on a node:http server of its own. */
export async function listening(handler: NodeHandler): Promise<{ readonly port: number } & AsyncDisposable> {
  const server = http.createServer(handler as http.RequestListener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
