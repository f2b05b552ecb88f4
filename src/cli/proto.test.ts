import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { samples } from '../../test/proto/samples.ts'
import { folder, ordersContract, root } from '../../test/support/command.ts'
import { runHere } from '../../test/support/run-here.ts'

/** A folder with the samples below `protos`. */
function sampleFolder() {
  const place = folder({})
  for (const [path, text] of Object.entries(samples)) {
    const file = join(place.path, 'protos', path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  return place
}

test('import proto writes a contract and its lock, and lists what they do not say', async () => {
  using place = sampleFolder()
  const out = join(place.path, 'out')
  const file = join(place.path, 'protos/acme/shop/v1/shop.proto')
  const { code, stdout, stderr } = await runHere(['import', 'proto', file, '--out', out])
  assert.equal(code, 0, stderr)
  assert.match(stdout, /wrote .*shop\.contract\.ts with acme\.shop\.v1\.Shop\nwrote .*trunkline\.lock\.json/)
  assert.match(stderr, /acme\/shop\/v1\/shop\.proto:31:3: acme\.shop\.v1\.Shop\.Cancel: google\.api\.http: /)
  assert.match(stderr, /the import google\/api\/annotations\.proto was not found, and not needed/)
  assert.match(
    readFileSync(join(out, 'shop.contract.ts'), 'utf8'),
    /^\/\/ Written by `trunkline import proto` from acme/,
  )

  // The lock is what `trunkline lock` would write.
  mkdirSync(join(out, 'node_modules'))
  symlinkSync(join(root, 'node_modules/zod'), join(out, 'node_modules/zod'))
  symlinkSync(root, join(out, 'node_modules/trunkline'))
  const check = await runHere(['lock', join(out, 'shop.contract.ts'), '--check'])
  assert.equal(check.code, 0, check.stdout + check.stderr)

  // A second one joins the lock; a module of this command is replaced, one of a person is not.
  const again = await runHere(['import', 'proto', join(place.path, 'protos/acme/old/old.proto'), '-o', out])
  assert.equal(again.code, 0, again.stderr)
  const lock = JSON.parse(readFileSync(join(out, 'trunkline.lock.json'), 'utf8')) as { contracts: object }
  assert.deepEqual(Object.keys(lock.contracts), ['acme.shop.v1', 'acme.old'])

  assert.equal((await runHere(['import', 'proto', file, '-o', out])).code, 0)
  writeFileSync(join(out, 'shop.contract.ts'), 'export {}')
  const refused = await runHere(['import', 'proto', file, '-o', out])
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /is there already, and was not written by this command\nReplace it: --force/)
  assert.equal((await runHere(['import', 'proto', file, '-o', out, '--force'])).code, 0)
})

test('import proto finds imports with -I, and says where a file is wrong', async () => {
  using place = sampleFolder()
  const out = join(place.path, 'out')
  const file = join(place.path, 'protos/acme/shop/v1/shop.proto')
  const given = await runHere([
    'import',
    'proto',
    file,
    '-I',
    join(place.path, 'protos'),
    '-o',
    out,
    '--service',
    'Shop',
  ])
  assert.equal(given.code, 0, given.stderr)

  const elsewhere = await runHere(['import', 'proto', file, '-I', dirname(file), '-o', out])
  assert.equal(elsewhere.code, 1)
  assert.match(
    elsewhere.stderr,
    /shop\.proto:69:5: there is no type Money; it may be in .*which could not be found: name its folder with -I/,
  )

  const unknown = await runHere(['import', 'proto', file, '-o', out, '--service', 'Shops'])
  assert.match(unknown.stderr, /there is no service Shops in this file; there are Shop/)
  assert.match((await runHere(['import', 'prot', file])).stderr, /there is no format 'prot'/)
  assert.match((await runHere(['import', 'proto', `${file}x`])).stderr, /there is no file/)
  assert.match(
    (await runHere(['import', 'proto', file, '-I', 'gone'])).stderr,
    /--proto-path: there is no folder 'gone'/,
  )

  writeFileSync(file, 'syntax = "proto3";\nmessage M { string a = 1 }')
  const broken = await runHere(['import', 'proto', file, '-o', out])
  assert.equal(broken.code, 1)
  assert.match(broken.stderr, /shop\.proto:2:26: expected ';' behind the field a, found '}'/)
})

test('export proto writes a folder that protoc takes as it is, or the one file to stdout', async () => {
  using place = folder({})
  const { code, stderr } = await runHere(['export', 'proto', ordersContract, '--out', place.path])
  assert.equal(code, 0, stderr)
  const text = readFileSync(join(place.path, 'acme/orders/v1/orders.proto'), 'utf8')
  assert.match(text, /service Orders \{/)
  assert.equal(existsSync(join(place.path, 'google/api/annotations.proto')), true)

  const printed = await runHere(['export', 'proto', ordersContract])
  assert.equal(printed.stdout, text)
  const titled = await runHere(['export', 'proto', ordersContract, '--title', 'x'])
  assert.equal(titled.code, 2)
})
