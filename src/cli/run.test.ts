import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { folder, ordersContract, ordersService } from '../../test/support/command.ts'
import { runHere } from '../../test/support/run-here.ts'
import { commandNames } from './commands.ts'

test('without a command, and with one that is not there, the commands are named', async () => {
  const nothing = await runHere([])
  assert.equal(nothing.code, 2)
  for (const name of commandNames) assert.match(nothing.stderr, new RegExp(`^  ${name} `, 'm'))

  const typo = await runHere(['serv'])
  assert.equal(typo.code, 2)
  assert.match(typo.stderr, /there is no command 'serv'\. Did you mean 'serve'\?/)
  assert.match((await runHere(['--port', '1'])).stderr, /the command comes first/)
  for (const meant of ['--verison', 'version']) {
    assert.match((await runHere([meant])).stderr, /Did you mean '--version'\?/)
  }
})

test('every command has help with examples, asked for in three ways', async () => {
  for (const name of commandNames) {
    const { code, stdout } = await runHere([name, '--help'])
    assert.equal(code, 0)
    assert.match(stdout, /\nUsage\n {2}trunkline /)
    assert.match(stdout, new RegExp(`\nExamples\n {2}trunkline ${name} `))
    assert.equal((await runHere([name, '-h'])).stdout, stdout)
    assert.equal((await runHere(['help', name])).stdout, stdout)
  }
  assert.equal((await runHere(['--help'])).code, 0)
  assert.equal((await runHere(['help', 'hlep'])).code, 2)
})

test('--version is that of the package', async () => {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  assert.deepEqual(await runHere(['--version']), { code: 0, stdout: `${manifest.version}\n`, stderr: '' })
})

const words: readonly (readonly [string, readonly string[], RegExp])[] = [
  [
    'an option that is not there',
    ['serve', 'x', '--prot', '1'],
    /no option '--prot'\. Did you mean '--port'\?/,
  ],
  ['a letter that is not there', ['call', 'ping', '-x'], /no option '-x'/],
  ['an option without its value', ['serve', 'x', '--port'], /--port needs a value: --port <number>/],
  ['an option instead of a value', ['serve', 'x', '--host', '--port', '1'], /--host needs a value/],
  ['a switch with a value', ['describe', 'x', '--json=1'], /--json is a switch/],
  ['an option given twice', ['serve', 'x', '--port', '1', '--port', '2'], /--port was given twice/],
  ['one argument too many', ['call', 'place', '{"sku":', '1}'], /one argument too many[^]*single quotes/],
]

for (const [what, line, message] of words) {
  test(`the command line: ${what}`, async () => {
    const outcome = await runHere(line)
    assert.match(outcome.stderr, message)
    assert.match(outcome.stderr, /Help: trunkline \w+ --help/)
    assert.equal(outcome.code, 2)
  })
}

test('a stack is printed for those who ask for it', async () => {
  using place = folder({ 'main.ts': `throw new Error('no database')` })
  const file = join(place.path, 'main.ts')
  assert.doesNotMatch((await runHere(['serve', file])).stderr, /node:internal|Error:/)
  assert.match((await runHere(['serve', join(place.path, 'main.ts'), '--debug'])).stderr, /no database/)
})

const mistakes: readonly (readonly [string, readonly string[], number, RegExp])[] = [
  ['no module', [], 2, /<module> is missing/],
  [
    'a module that is not there',
    ['examples/orders/servce.ts'],
    2,
    /Did you mean 'examples\/orders\/service\.ts'\?/,
  ],
  ['a package that is not there', ['no-such-package'], 2, /there is no module 'no-such-package'/],
  ['a folder without a main file', ['examples/orders'], 2, /Name a file of it: .*service\.ts/],
  [
    'a module without implementations',
    [ordersContract],
    1,
    /acme\.orders\.v1 is a contract, and nobody answers/,
  ],
  [
    'a port that is none',
    [ordersService, '--port', '70000'],
    2,
    /--port: expected a whole number from 0 to 65535/,
  ],
  ['a port and a socket', [ordersService, '--port', '1', '--path', '/tmp/x'], 2, /give one of them/],
  ['a certificate without its key', [ordersService, '--tls-cert', 'c.pem'], 2, /--tls-key is missing/],
  [
    'a certificate that is not there',
    [ordersService, '--tls-cert', 'c.pem', '--tls-key', 'k.pem'],
    2,
    /--tls-cert: there is no file '.*c\.pem'/,
  ],
  ['a grace that is no time', [ordersService, '--grace', 'long'], 2, /expected a length of time/],
]

for (const [what, words, code, message] of mistakes) {
  test(`serve: ${what}`, async () => {
    const outcome = await runHere(['serve', ...words])
    assert.match(outcome.stderr, message)
    assert.equal(outcome.code, code)
    assert.doesNotMatch(outcome.stderr, /\n\s+at .*node:/)
  })
}

const broken: readonly (readonly [string, string, RegExp])[] = [
  [
    'throws',
    `throw new Error('no database')`,
    /main\.ts failed while it was loaded: no database\n {2}at \S*main\.ts:1:7/,
  ],
  ['does not parse', 'const = 1', /main\.ts/],
  ['imports what is not installed', `import 'not-installed'`, /Cannot find package 'not-installed'/],
  ['forgets the extension', `import './other'`, /Write the extension: import … from '…\/other\.ts'/],
  ['uses an enum', 'enum A { B }', /avoid enum, namespace and parameter properties/],
  [
    'imports a lock that is not there',
    `import lock from './trunkline.lock.json' with { type: 'json' }`,
    /trunkline lock/,
  ],
]

for (const [what, text, message] of broken) {
  test(`serve: a module that ${what}`, async () => {
    using place = folder({ 'main.ts': text, 'other.ts': '' })
    const outcome = await runHere(['serve', join(place.path, 'main.ts')])
    assert.match(outcome.stderr, message)
    assert.equal(outcome.code, 1)
    assert.doesNotMatch(outcome.stderr, /node:internal/)
  })
}
