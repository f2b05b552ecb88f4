import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSample } from '../../../../test/proto/samples.ts'
import type { FieldDescriptor } from './descriptor.ts'
import { ProtoError } from './error.ts'
import { createLoader, declarationsOf } from './load.ts'

/** The declarations of some files, the first of which is loaded. */
function load(files: Readonly<Record<string, string>>) {
  const [path = ''] = Object.keys(files)
  const set = createLoader((wanted) => files[wanted]).load([path])
  return { ...declarationsOf(set.files.values()), missing: set.missing }
}

function refused(files: Readonly<Record<string, string>>, message: RegExp): void {
  assert.throws(
    () => load(files),
    (error) => error instanceof ProtoError && message.test(error.message),
    String(message),
  )
}

/** The first message of a file in package `p`. */
function fieldsOf(text: string): Record<string, FieldDescriptor> {
  const { messages } = load({ 'a.proto': text })
  const message = messages.get('p.M')
  return Object.fromEntries((message?.fields ?? []).map((field) => [field.name, field]))
}

test('presence, packing and defaults by syntax', () => {
  const kinds = (text: string) =>
    Object.values(fieldsOf(text)).map(({ presence, packed, default: fallback }) => [
      presence,
      packed,
      fallback,
    ])

  assert.deepEqual(
    kinds(
      'syntax = "proto3"; package p; message M { int32 a = 1; optional int32 b = 2; M c = 3; repeated int32 d = 4; repeated int32 e = 5 [packed = false]; oneof o { int32 f = 6; } }',
    ),
    [
      ['implicit', undefined, undefined],
      ['explicit', undefined, undefined],
      ['explicit', undefined, undefined],
      ['implicit', true, undefined],
      ['implicit', false, undefined],
      ['explicit', undefined, undefined],
    ],
  )
  assert.deepEqual(
    kinds(
      'package p; message M { required int32 a = 1; optional int64 b = 2 [default = -0x10]; repeated int32 c = 3; repeated int32 d = 4 [packed = true]; optional double e = 5 [default = -inf]; optional bool f = 6 [default = true]; }',
    ),
    [
      ['required', undefined, undefined],
      ['explicit', undefined, '-16'],
      ['implicit', false, undefined],
      ['implicit', true, undefined],
      ['explicit', undefined, -Infinity],
      ['explicit', undefined, true],
    ],
  )
})

test('features of editions: of the file, the message and the field, the nearest counts', () => {
  const { messages, enums } = load({ 'acme/new/new.proto': readSample('acme/new/new.proto') as string })
  const fields = Object.fromEntries(
    messages.get('acme.new.Request')?.fields.map((one) => [one.name, one]) ?? [],
  )
  assert.equal(fields['implicit']?.presence, 'implicit')
  assert.equal(fields['explicit']?.presence, 'explicit')
  assert.equal(fields['explicit']?.default, 3)
  assert.equal(fields['required']?.presence, 'required')
  assert.equal(fields['expanded']?.packed, false)
  assert.equal(fields['delimited']?.delimited, true)
  assert.deepEqual([enums.get('acme.new.Open')?.closed, enums.get('acme.new.Closed')?.closed], [false, true])
  refused(
    { 'a.proto': 'edition = "2023"; option features.field_presence = SOMETIMES;' },
    /cannot be SOMETIMES; write EXPLICIT or IMPLICIT/,
  )
})

test('names are looked up from within outwards, and the first part decides', () => {
  const { messages } = load({
    'a.proto': `syntax = "proto3"; package a.b;
      message Inner {}
      message M {
        message Inner {}
        Inner own = 1;
        .a.b.Inner outer = 2;
        b.Inner by_package = 3;
        M.Inner by_message = 4;
      }`,
  })
  assert.deepEqual(
    messages.get('a.b.M')?.fields.map(({ type }) => type.kind === 'message' && type.name),
    ['a.b.M.Inner', 'a.b.Inner', 'a.b.Inner', 'a.b.M.Inner'],
  )
  refused(
    {
      'a.proto':
        'syntax = "proto3"; package a; message Inner { message X {} } message M { message Inner {} Inner.X x = 1; }',
    },
    /there is no type Inner\.X/,
  )
})

test('a file sees what it imports, and what that imports publicly', () => {
  const files = (kind: string) => ({
    'a.proto': 'syntax = "proto3"; import "b.proto"; message A { C c = 1; }',
    'b.proto': `syntax = "proto3"; import ${kind} "c.proto";`,
    'c.proto': 'syntax = "proto3"; message C {}',
  })
  assert.equal(load(files('public')).messages.has('C'), true)
  refused(files(''), /a\.proto:1:50: there is no type C; import "c\.proto"/)
})

test('an import that is not there is refused when something of it is needed, and told otherwise', () => {
  const text = 'syntax = "proto3"; import "gone.proto"; message A { int32 a = 1 [(gone.option) = true]; }'
  assert.deepEqual(load({ 'a.proto': text }).missing, [{ file: 'a.proto', path: 'gone.proto' }])
  refused(
    { 'a.proto': 'syntax = "proto3"; import "gone.proto"; message A { Gone a = 1; }' },
    /no type Gone; it may be in "gone\.proto", which could not be found: name its folder with -I/,
  )
})

test('files that import each other are refused, with the import', () => {
  refused(
    { 'a.proto': 'import "b.proto";', 'b.proto': 'import "c.proto";', 'c.proto': '\n  import "a.proto";' },
    /c\.proto:2:3: a\.proto imports this file in turn; move what both need/,
  )
})

test('what protobuf refuses is refused', () => {
  const body = (text: string) => ({ 'a.proto': `syntax = "proto3"; package p; ${text}` })
  refused(
    body('message M { int32 a = 1; int32 b = 1; }'),
    /M\.b has the number 1 of a; the next free one is 2/,
  )
  refused(body('message M { int32 a = 1; int32 a = 2; }'), /a is declared twice/)
  refused(
    body('message M { reserved 2 to 5; int32 a = 3; }'),
    /number 3, which is reserved; the next free one is 6/,
  )
  refused(body('message M { reserved "a"; int32 a = 3; }'), /the name a is reserved/)
  refused(
    body('enum E { A = 1; }'),
    /the first value of E has the number 1, and must have 0; put E_UNSPECIFIED = 0/,
  )
  refused(
    body('enum E { A = 0; B = 0; }'),
    /B has the number 0 of A; give it its own, or write option allow_alias/,
  )
  refused(
    body('enum E { A = 0; } enum F { A = 0; }'),
    /A is declared twice in this place; the other one is on line 1/,
  )
  refused(body('enum E { A = 0; } service S { rpc R(E) returns (E); }'), /E is an enum; a method takes/)
  refused(body('message M { S s = 1; } service S {}'), /there is no type S/)
  refused(
    { 'a.proto': 'enum E { A = 1; } message M { optional E e = 1 [default = B]; }' },
    /must be a value of E/,
  )
  refused({ 'a.proto': 'message M { optional int32 e = 1 [default = "B"]; }' }, /must be an integer/)
})

test('google.api.http in each of its forms', () => {
  const ruleOf = (option: string) => {
    const text = `syntax = "proto3"; message M {} service S { rpc R(M) returns (M) { ${option} } }`
    return load({ 'a.proto': text }).services.get('S')?.methods[0]?.http
  }
  assert.deepEqual(ruleOf('option (google.api.http) = { get: "/a" };'), {
    method: 'GET',
    path: '/a',
    more: 0,
  })
  assert.deepEqual(ruleOf('option (.google.api.http).post = "/a"; option (.google.api.http).body = "*";'), {
    method: 'POST',
    path: '/a',
    body: '*',
    more: 0,
  })
  assert.deepEqual(
    ruleOf(
      'option (google.api.http) = { custom { kind: "HEAD" path: "/a" } response_body: "b" additional_bindings: [{ get: "/c" }, { get: "/d" }] };',
    ),
    { method: 'HEAD', path: '/a', responseBody: 'b', more: 2 },
  )
})
