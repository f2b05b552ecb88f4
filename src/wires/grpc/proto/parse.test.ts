import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { editions, proto2, proto3, samples } from '../../../../test/proto/samples.ts'
import { runs } from '../../../../test/support/fuzz.ts'
import { ProtoError } from './error.ts'
import { parseProtoFile } from './parse.ts'

const parse = (text: string) => parseProtoFile('a.proto', text)

/** The first message of a proto3 file that holds this. */
const bodyOf = (body: string) => {
  const [message] = parse(`syntax = "proto3"; message M { ${body} }`).messages
  assert.ok(message)
  return message
}

/** That a file is refused at a place: `line:column` and a part of what is said. */
function refused(text: string, place: string, what: RegExp): void {
  assert.throws(
    () => parse(text),
    (error) => {
      assert.ok(error instanceof ProtoError, String(error))
      assert.equal(`${error.line}:${error.column}`, place, error.message)
      assert.match(error.message, what)
      assert.ok(error.message.startsWith(`a.proto:${place}: `))
      return true
    },
  )
}

test('a file: syntax, package, imports, options and what it declares', () => {
  const file = parse(proto3)
  assert.deepEqual([file.syntax, file.package, file.doc], ['proto3', 'acme.shop.v1', 'The shop.'])
  assert.equal(file.imports.length, 9)
  assert.deepEqual(
    file.imports.filter(({ kind }) => kind === 'public').map(({ path }) => path),
    ['acme/shop/v1/money.proto'],
  )
  assert.deepEqual(
    file.messages.map(({ name }) => name),
    ['PlaceRequest', 'GetOrderRequest', 'Order'],
  )
})

test('without a syntax a file is proto2; editions say which', () => {
  assert.equal(parse(proto2).syntax, 'proto2')
  assert.deepEqual([parse(editions).syntax, parse(editions).edition], ['editions', '2023'])
  assert.equal(parse('edition = "2024"; export message M {} local enum E { A = 0; }').messages.length, 1)
})

test('fields: labels, maps, oneofs, groups, options', () => {
  const [request] = parse(proto2).messages
  const fields = new Map(request?.fields.map((field) => [field.name, field]))
  assert.equal(fields.get('name')?.label, 'required')
  assert.equal(fields.get('result')?.type, 'Result')
  assert.equal(fields.get('result')?.group, true)
  assert.equal(fields.get('left')?.oneof, 'choice')
  assert.deepEqual(request?.messages.map(({ name }) => name).toSorted(), ['Inner', 'Result'])
  assert.deepEqual(
    request?.extensionRanges.map(({ from, to }) => [from, to]),
    [
      [100, 199],
      [500, 536_870_911],
    ],
  )

  const [map] = bodyOf('map<int32, .a.B> m = 1;').fields
  assert.deepEqual([map?.key, map?.type], ['int32', '.a.B'])
})

test('words of the language are names of fields, messages and packages as well', () => {
  const { fields } = bodyOf(
    'string message = 1; string optional = 2; map map = 3; string package = 4; optional string group = 5; stream stream = 6;',
  )
  assert.deepEqual(
    fields.map(({ name }) => name),
    ['message', 'optional', 'map', 'package', 'group', 'stream'],
  )
  const [service] = parse('service S { rpc rpc(stream) returns (stream stream); }').services
  assert.deepEqual(
    [service?.methods[0]?.input, service?.methods[0]?.clientStreaming, service?.methods[0]?.serverStreaming],
    ['stream', false, true],
  )
})

test('numbers: decimal, octal, hexadecimal; strings: every escape, and several behind each other', () => {
  const { fields } = bodyOf('int32 a = 0x1F; int32 b = 017;')
  assert.deepEqual(
    fields.map(({ number }) => number),
    [31, 15],
  )

  const texts: [string, string][] = [
    [String.raw`"a\tb\'\"\\\?"`, 'a\tb\'"\\?'],
    [String.raw`'\x41\X42\103'`, 'ABC'],
    [String.raw`"\u00e9\U0001F600"`, 'é😀'],
    [String.raw`"\303\251"`, 'é'],
    [`"a" 'b'\n"c"`, 'abc'],
  ]
  for (const [written, text] of texts) {
    const [option] = parse(`option a = ${written};`).options
    assert.deepEqual(option?.value, { kind: 'text', text }, written)
  }
})

test('options: names of extensions, aggregates in text format', () => {
  const [, aggregate] = parse(proto3).options
  assert.equal(aggregate?.name, '(acme.file_option)')
  assert.deepEqual(aggregate?.value, {
    kind: 'message',
    fields: [
      {
        name: 'names',
        value: {
          kind: 'list',
          values: [
            { kind: 'text', text: 'a' },
            { kind: 'text', text: 'b' },
          ],
        },
      },
      {
        name: 'nested',
        value: {
          kind: 'message',
          fields: [
            {
              name: 'deep',
              value: { kind: 'message', fields: [{ name: 'x', value: { kind: 'number', text: '-1.5e3' } }] },
            },
          ],
        },
      },
      { name: '[acme.ext]', value: { kind: 'word', text: 'true' } },
    ],
  })
})

test('comments belong to what stands behind them, or before them on the same line', () => {
  const order = parse(proto3).messages.find(({ name }) => name === 'Order')
  assert.equal(order?.doc, 'An order,\nas it was placed.')
  assert.equal(order?.fields[0]?.doc, 'What identifies it.')
  assert.equal(order?.oneofs[0]?.doc, 'How it was paid.')
  assert.equal(order?.enums[0]?.values.find(({ name }) => name === 'OPEN')?.doc, 'Not yet.')

  const { fields } = bodyOf(
    '// detached\n\n  // own\n  // more\n  string a = 1; // of a\n string b = 2;\n string c = 3;',
  )
  assert.deepEqual(
    fields.map(({ doc }) => doc),
    ['own\nmore', undefined, undefined],
  )
})

test('what is wrong is said with its place and what to do', () => {
  refused('syntax = "proto4";', '1:10', /no syntax "proto4"; write "proto3" or "proto2"/)
  refused('edition = "2042";', '1:11', /edition "2042" is not known here/)
  refused(
    'message M {\n  string a = 1\n}',
    '2:3',
    /needs a label in front of its type 'string'; write optional/,
  )
  refused(
    'syntax = "proto3";\nmessage M {\n  string a = 1\n}',
    '4:1',
    /expected ';' behind the field a, found '}'/,
  )
  refused('syntax = "proto3"; message M { string a = 0; }', '1:43', /0 is no field number; they go from 1/)
  refused('syntax = "proto3"; message M { string a = 19500; }', '1:43', /belong to protobuf itself/)
  refused('syntax = "proto3"; message M { required string a = 1; }', '1:32', /proto3 has no 'required'/)
  refused(
    'edition = "2023"; message M { optional string a = 1; }',
    '1:31',
    /editions have no 'optional'; take it away/,
  )
  refused(
    'syntax = "proto3"; message M { repeated map<string, string> a = 1; }',
    '1:41',
    /a map has no label/,
  )
  refused(
    'syntax = "proto3"; message M { map<double, string> a = 1; }',
    '1:36',
    /'double' cannot be a map's key/,
  )
  refused('syntax = "proto3"; message M { oneof x { } }', '1:32', /oneof x has no fields/)
  refused(
    'syntax = "proto3"; message M { oneof x { optional string a = 1; } }',
    '1:42',
    /has no label; take 'optional' away/,
  )
  refused('enum E { }', '1:1', /enum E has no values/)
  refused('enum E { A = 4294967296; }', '1:14', /does not fit into 32 bits/)
  refused('message M {', '1:12', /message M never ends; it begins on line 1; close it with }/)
  refused('message M { } }', '1:15', /one more } than {/)
  refused('option a = "\\q";', '1:13', /'\\q' is no escape/)
  refused('option a = "b\n";', '1:12', /does not end on its line; close it with "/)
  refused('/* never', '1:1', /this comment never ends/)
  refused('message M { reserved 5 to 3; }', '1:22', /the range 5 to 3 is empty; write 3 to 5/)
  refused('package a; package b;', '1:12', /declared twice/)
  refused('message M { int32 é = 1; }', '1:19', /'é' can only stand in strings and comments/)
  refused('option a = 12abc;', '1:12', /'12a' is no number/)
  refused('option a = 089;', '1:12', /octal/)
})

test('what is nested too deeply is refused, and does not end the process', () => {
  const deep = (open: string, close: string) => `${open.repeat(5000)}${close.repeat(5000)}`
  assert.throws(() => parse(deep('message M { ', '}')), /nested more than 64 deep/)
  assert.throws(() => parse(`option a = ${deep('{ b: ', '}')};`), /nested more than 100 deep/)
  assert.throws(() => parse(`option a = { b: ${deep('[', ']')} };`), /nested more than 100 deep/)
})

test('what is very long is read', () => {
  const many = 200_000
  const lines = (line: string) => `${line}\n`.repeat(many)
  assert.equal(bodyOf(`reserved ${'5, '.repeat(many)}6;`).reserved.length, many + 1)
  assert.equal(parse(`${lines('// a')}message M {}`).messages[0]?.doc?.length, 2 * many - 1)
  assert.equal(parse(lines('import "a.proto";')).imports.length, many)
})

test('a file that is cut anywhere is read, or refused with a place in it', () => {
  for (const text of Object.values(samples)) {
    const lines = text.split('\n')

    for (let end = 0; end < text.length; end += 1) {
      try {
        parse(text.slice(0, end))
      } catch (error) {
        assert.ok(error instanceof ProtoError, String(error))
        assert.ok(error.line >= 1 && error.line <= lines.length && error.column >= 1, error.message)
      }
    }
  }
})

test('a file that is changed anyhow is read, or refused', () => {
  const change = fc.record({
    at: fc.nat(),
    remove: fc.nat(12),
    insert: fc.oneof(
      fc.string({ maxLength: 3 }),
      fc.constantFrom(
        '{',
        '}',
        '<',
        '>',
        '"',
        "'",
        '/*',
        '//',
        ';',
        '[',
        ']',
        '(',
        '=',
        '.',
        '-',
        'oneof',
        'map<',
        '\\',
      ),
    ),
  })

  fc.assert(
    fc.property(
      fc.constantFrom(...Object.values(samples)),
      fc.array(change, { minLength: 1, maxLength: 4 }),
      (sample, changes) => {
        let text = sample
        for (const { at, remove, insert } of changes) {
          const place = at % (text.length + 1)
          text = text.slice(0, place) + insert + text.slice(place + remove)
        }
        try {
          parse(text)
        } catch (error) {
          assert.ok(error instanceof ProtoError, String(error))
        }
      },
    ),
    { numRuns: runs(500) },
  )
})
