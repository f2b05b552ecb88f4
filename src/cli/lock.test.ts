import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { folder, ordersContract } from '../../test/support/command.ts'
import { runHere } from '../../test/support/run-here.ts'

const contractOf = (fields: string, name = 'Orders') => `
  import { call, contract } from 'trunkline'
  import * as z from 'zod'
  import lock from './trunkline.lock.json' with { type: 'json' }
  const Order = z.object({ ${fields} }).meta({ id: 'Order' })
  export const ${name} = contract('acme.${name.toLowerCase()}.v1', { place: call({ input: Order }) }, { lock })`

test('the lock of the example is up to date', async () => {
  const { code, stdout } = await runHere(['lock', ordersContract, '--check'])
  assert.match(stdout, /is up to date/)
  assert.equal(code, 0)
})

test('lock writes the file that the module imports and that is not there yet', async () => {
  using place = folder({ 'a.ts': contractOf('sku: z.string(), qty: z.int32()') })
  const file = join(place.path, 'trunkline.lock.json')
  const missing = await runHere(['lock', join(place.path, 'a.ts'), '--check'])
  assert.equal(missing.code, 1)
  assert.match(missing.stderr, /does not exist/)
  assert.equal(existsSync(file), false)

  const { code, stdout, stderr } = await runHere(['lock', join(place.path, 'a.ts')])
  assert.equal(code, 0)
  assert.match(stdout, /Order\.sku is new: field 1\nOrder\.qty is new: field 2\nwrote /)
  assert.match(stderr, /contract\(name, operations, \{ lock \}\)/)
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')).contracts['acme.orders.v1'].messages.Order, {
    fields: { sku: 1, qty: 2 },
  })
})

test('lock keeps numbers through additions, removals and renames, and --check changes nothing', async () => {
  using place = folder({
    '1.ts': contractOf('sku: z.string(), qty: z.int32(), note: z.string()'),
    '2.ts': contractOf('quantity: z.int32(), sku: z.string(), tag: z.string()'),
  })
  const file = join(place.path, 'trunkline.lock.json')
  await runHere(['lock', join(place.path, '1.ts')])
  const before = readFileSync(file, 'utf8')

  const second = join(place.path, '2.ts')
  const check = await runHere(['lock', second, '--check', '--rename', 'Order.qty=quantity'])
  assert.equal(check.code, 1)
  assert.match(check.stdout, /Order\.qty is quantity now, and keeps 2/)
  assert.match(check.stderr, /is not up to date/)
  assert.equal(readFileSync(file, 'utf8'), before)

  assert.equal((await runHere(['lock', second, '--rename', 'Order.qty=quantity'])).code, 0)
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')).contracts['acme.orders.v1'].messages.Order, {
    fields: { sku: 1, quantity: 2, tag: 4 },
    reserved: { numbers: [3], names: ['note'] },
  })
  assert.match((await runHere(['lock', second])).stdout, /is up to date/)
})

test('a file can hold several contracts', async () => {
  using place = folder({
    'a.ts': contractOf('a: z.string()', 'First'),
    'b.ts': contractOf('b: z.string()', 'Second'),
  })
  await runHere(['lock', join(place.path, 'a.ts')])
  await runHere(['lock', join(place.path, 'b.ts')])
  const lock = JSON.parse(readFileSync(join(place.path, 'trunkline.lock.json'), 'utf8'))
  assert.deepEqual(Object.keys(lock.contracts).toSorted(), ['acme.first.v1', 'acme.second.v1'])
})

test('a lock that is broken is not written over', async () => {
  using place = folder({ 'a.ts': contractOf('a: z.string()') })
  const file = join(place.path, 'trunkline.lock.json')
  writeFileSync(file, '{"version": 2}')
  const { code, stderr } = await runHere(['lock', join(place.path, 'a.ts')])
  assert.equal(code, 1)
  assert.match(stderr, /lock: version: must be 1, is 2/)
  assert.equal(readFileSync(file, 'utf8'), '{"version": 2}')
})

test('a module that cannot be loaded leaves no lock behind', async () => {
  using place = folder({ 'a.ts': `throw new Error('broken')` })
  assert.equal((await runHere(['lock', join(place.path, 'a.ts')])).code, 1)
  assert.equal(existsSync(join(place.path, 'trunkline.lock.json')), false)
})

test('a rename is Type.old=new, and must fit', async () => {
  using place = folder({ 'a.ts': contractOf('a: z.string()') })
  const file = join(place.path, 'a.ts')
  assert.match((await runHere(['lock', file, '--rename', 'a'])).stderr, /expected Type\.old=new/)
  const rename = async (given: string) => (await runHere(['lock', file, '--rename', given])).stderr
  assert.match(
    await rename('Order.x=y'),
    /^trunkline lock: --rename Order\.x=y: the lock has no type 'Order'\n/,
  )
  await runHere(['lock', file])
  assert.match(
    await rename('Order.x=y'),
    /--rename Order\.x=y: the lock has no field 'x' in Order; there is a\n/,
  )
  assert.match(await rename('Order.aa=y'), /the lock has no field 'aa' in Order; did you mean 'a'\?/)
  assert.match(await rename('Oder.a=b'), /the lock has no type 'Oder'; did you mean 'Order'\?/)
  assert.match(
    await rename('Order.a=b'),
    /Order\.a is still declared: give it its new name in the contract first/,
  )
})

test('a rename that comes too late says how to keep the number all the same', async () => {
  using place = folder({
    '1.ts': contractOf('quantity: z.int32()'),
    '2.ts': contractOf('count: z.int32()'),
  })
  await runHere(['lock', join(place.path, '1.ts')])
  const typo = await runHere(['lock', join(place.path, '2.ts'), '--rename', 'Order.quantity=cuont'])
  assert.match(typo.stderr, /Order declares no field 'cuont'; did you mean 'count'\?/)
  await runHere(['lock', join(place.path, '2.ts')])
  const late = await runHere(['lock', join(place.path, '2.ts'), '--rename', 'Order.quantity=count'])
  assert.match(
    late.stderr,
    /Order\.quantity has gone already, [^]*take the lock file of before .* from version control/,
  )
  assert.equal(late.code, 1)
})

test('with several contracts, a rename that is for none of them is refused', async () => {
  using place = folder({
    'a.ts': `
      import { call, contract } from 'trunkline'
      import * as z from 'zod'
      const Order = z.object({ a: z.string() }).meta({ id: 'Order' })
      export const A = contract('acme.a.v1', { a: call({ input: Order }) })
      export const B = contract('acme.b.v1', { b: call({}) })`,
  })
  const { code, stderr } = await runHere(['lock', join(place.path, 'a.ts'), '--rename', 'Oder.a=b'])
  assert.match(
    stderr,
    /--rename Oder\.a=b: no contract of the module declares a type 'Oder'\. Did you mean 'Order'\?/,
  )
  assert.equal(code, 2)
  assert.equal(existsSync(join(place.path, 'trunkline.lock.json')), false)
})

test('--file says what is wrong with the place', async () => {
  using place = folder({ 'a.ts': contractOf('a: z.string()').replace(/import lock.*|, \{ lock \}/g, '') })
  const file = join(place.path, 'a.ts')
  const lock = async (to: string) => (await runHere(['lock', file, '--file', to])).stderr
  assert.match(await lock(place.path), /--file: '.*' is a folder\nName a file in it/)
  assert.match(
    await lock(join(place.path, 'no/such/lock.json')),
    /--file: there is no folder '.*\/no'\nMake it: mkdir -p .*\/no\/such\n/,
  )
  assert.match(await lock(join(file, 'lock.json')), /--file: '.*' leads through a file/)
})

test('a module without a contract is told what to export', async () => {
  using place = folder({ 'a.ts': 'export const a = 1' })
  assert.match(
    (await runHere(['lock', join(place.path, 'a.ts')])).stderr,
    /exports no contract \(its exports: a\)/,
  )
})

test('export writes the OpenAPI document', async () => {
  const printed = await runHere([
    'export',
    'openapi',
    ordersContract,
    '--server',
    'https://orders.example.com',
  ])
  const document = JSON.parse(printed.stdout)
  assert.equal(document.openapi, '3.1.0')
  assert.deepEqual(document.servers, [{ url: 'https://orders.example.com' }])
  assert.ok(document.paths['/orders'].post)

  const place = mkdtempSync(join(tmpdir(), 'trunkline-'))
  const out = join(place, 'openapi.json')
  const { stderr } = await runHere(['export', 'openapi', ordersContract, '--out', out])
  assert.match(stderr, /wrote /)
  assert.deepEqual(JSON.parse(readFileSync(out, 'utf8')).paths, document.paths)
  rmSync(place, { recursive: true })
})

test('export knows its formats, and says when it cannot write', async () => {
  assert.match((await runHere(['export', 'opnapi', ordersContract])).stderr, /Did you mean 'openapi'\?/)
  const { code, stderr } = await runHere(['export', 'openapi', ordersContract, '--out', '/no/such/folder/x'])
  assert.match(stderr, /--out: there is no folder '\/no'\nMake it: mkdir -p \/no\/such\/folder\n/)
  assert.equal(code, 1)
  const inFolder = await runHere(['export', 'openapi', ordersContract, '--out', '/'])
  assert.match(inFolder.stderr, /--out: '\/' is a folder\nName a file in it: \/openapi\.json/)
})
