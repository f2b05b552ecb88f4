/**
 * What types cost: a module of 200 operations with their schemas, handlers and calls, measured by `tsc`. An editor does this
 * work again on every keystroke, so the price of an operation has a limit.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

const operations = 200
const limit = 4_500

const here = import.meta.dirname
const root = path.join(here, '../..')

/** Four shapes in turn: unary with a fault, reading by path, server streaming, both ways streaming. */
function generate(): string {
  const schemas: string[] = []
  const declarations: string[] = []
  const handlers: string[] = []
  const calls: string[] = []

  for (let i = 0; i < operations; i++) {
    schemas.push(
      `const New${i} = z.object({ sku: z.string().min(1), quantity: z.int32().min(1), note: z.string().default(''), tags${i}: z.array(z.string()) })`,
      `const Made${i} = New${i}.extend({ id: z.string(), at: z.date(), total: z.int64() })`,
      `const Id${i} = z.object({ id: z.string(), n${i}: z.int32().optional() })`,
    )

    const made = `{ ...input, id: 'x', at: new Date(0), total: 1n }`
    const whole = `{ sku: 'a', quantity: 1, tags${i}: [], id: 'x', at: new Date(0), total: 1n }`

    switch (i % 4) {
      case 0:
        declarations.push(
          `place${i}: call({ input: New${i}, output: Made${i}, faults: { outOfStock: fault('failed_precondition', z.object({ sku: z.string(), left${i}: z.int32() })), closed: fault('unavailable') }, rest: 'POST /orders${i}', idempotency: 'keyed' }),`,
        )
        handlers.push(
          `async place${i}(input, ctx) { if (input.quantity > 5) throw ctx.fault.outOfStock({ sku: input.sku, left${i}: 5 }); return ${made} },`,
        )
        calls.push(
          `try { (await client.place${i}({ sku: 'a', quantity: 1, tags${i}: [] }, { timeout: '1s' })).total } catch (error) { if (isFault(error, Big.place${i}, 'outOfStock')) error.fault.detail.left${i} }`,
        )
        break
      case 1:
        declarations.push(
          `get${i}: call({ input: Id${i}, output: Made${i}, rest: 'GET /orders${i}/{id}', idempotency: 'safe' }),`,
        )
        handlers.push(`get${i}: ({ id }) => ({ ...${whole}, id }),`)
        calls.push(`(await client.get${i}({ id: 'x' })).at.getTime()`)
        break
      case 2:
        declarations.push(
          `watch${i}: call({ input: Id${i}, output: stream(Made${i}), rest: { route: 'GET /orders${i}:watch', query: ['id'] } }),`,
        )
        handlers.push(`async *watch${i}({ id }) { yield { ...${whole}, id } },`)
        calls.push(`for await (const made of client.watch${i}({ id: 'x' })) made.note.length`)
        break
      default:
        declarations.push(`haggle${i}: call({ input: stream(New${i}), output: stream(Made${i}) }),`)
        handlers.push(`async *haggle${i}(inputs) { for await (const input of inputs) yield ${made} },`)
        calls.push(
          `for await (const made of client.haggle${i}([{ sku: 'a', quantity: 1, tags${i}: [] }])) made.total`,
        )
    }
  }

  return [
    `import * as z from 'zod'`,
    `import { call } from '${here}/call.ts'`,
    `import { type Contract, type OperationsOf, contract } from '${here}/contract.ts'`,
    `import { fault } from '${here}/fault.ts'`,
    `import { stream } from '${here}/stream.ts'`,
    `import type { ContextKind, HandlersIn, Members } from '${here}/types.ts'`,
    `import type { Context } from '${root}/src/call/context.ts'`,
    `import { isFault } from '${root}/src/call/fault.ts'`,
    `interface ServerContext extends ContextKind { readonly context: Context<this['faults']> }`,
    `declare function connect<C extends Contract>(contract: C): Members<OperationsOf<C>>`,
    `declare function implement<C extends Contract>(contract: C, handlers: HandlersIn<OperationsOf<C>, ServerContext>): void`,
    ...schemas,
    `const Big = contract('acme.big.v1', {`,
    ...declarations,
    `})`,
    `implement(Big, {`,
    ...handlers,
    `})`,
    `const client = connect(Big)`,
    ...calls,
  ].join('\n')
}

test(`an operation costs at most ${limit} type instantiations, contract, handlers and calls together`, async (t) => {
  // Inside the project, so that the module finds zod.
  const cache = path.join(root, 'node_modules/.cache')
  await mkdir(cache, { recursive: true })
  const folder = await mkdtemp(path.join(cache, 'instantiations-'))
  t.after(() => rm(folder, { recursive: true }))

  await writeFile(path.join(folder, 'package.json'), '{ "type": "module" }')
  await writeFile(path.join(folder, 'big.ts'), generate())
  await writeFile(
    path.join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: path.join(root, 'tsconfig.json'),
      compilerOptions: { rewriteRelativeImportExtensions: false, noUnusedLocals: false },
      include: ['big.ts'],
      exclude: [],
    }),
  )

  const typescript = path.dirname(createRequire(import.meta.url).resolve('typescript/package.json'))
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [path.join(typescript, 'bin/tsc'), '--noEmit', '--extendedDiagnostics', '-p', folder],
    { cwd: root },
  ).catch((error: { stdout: string }) =>
    assert.fail(`the generated module does not compile:\n${error.stdout.slice(0, 2_000)}`),
  )

  const total = Number(/^Instantiations:\s+(\d+)/m.exec(stdout)?.[1])
  const each = Math.round(total / operations)

  t.diagnostic(
    `${each} instantiations an operation, ${/^Total time:\s+(\S+)/m.exec(stdout)?.[1]} for ${operations}`,
  )
  assert.ok(each <= limit, `an operation costs ${each} type instantiations, the limit is ${limit}`)
})
