import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  lowerCamelCase,
  pascalCase,
  protoJsonName,
  protoName,
  snakeCase,
  upperSnakeCase,
  variantName,
} from './names.ts'
import { structurallyEqual } from './equal.ts'
import { declarationOrder } from './numbers.ts'

test('a name in each convention', () => {
  const cases = [
    ['unitPrice', 'UnitPrice', 'unit_price', 'UNIT_PRICE'],
    ['unit_price', 'UnitPrice', 'unit_price', 'UNIT_PRICE'],
    ['unit-price', 'UnitPrice', 'unit_price', 'UNIT_PRICE'],
    ['HTTPStatus', 'HTTPStatus', 'http_status', 'HTTP_STATUS'],
    ['x1', 'X1', 'x1', 'X1'],
    ['2fa', '2fa', '_2fa', '_2FA'],
    ['$ref', 'Ref', 'ref', 'REF'],
    ['', '', '', ''],
  ] as const

  for (const [name, pascal, snake, upper] of cases) {
    assert.deepEqual([pascalCase(name), snakeCase(name), upperSnakeCase(name)], [pascal, snake, upper])
  }
})

test('ProtoJSON names come from the name in .proto, as protoc makes them', () => {
  assert.equal(lowerCamelCase('unit_price_2'), 'unitPrice2')
  assert.equal(protoName({ name: 'unitPrice' }), 'unit_price')
  assert.equal(protoJsonName({ name: 'HTTPStatus' }), 'httpStatus')
  assert.equal(protoJsonName({ name: 'x', proto: 'some_x' }), 'someX')
  assert.equal(protoJsonName({ name: 'x', proto: 'some_x', json: 'X' }), 'X')
})

test('a variant is named by its tag, or by its number where that makes no name', () => {
  const names = [
    ['in-transit', 'in_transit'],
    [true, 'variant_true'],
    [2, 'variant_2'],
    ['kind', 'variant_9'],
    ['東京', 'variant_9'],
    ['', 'variant_9'],
  ] as const
  for (const [tag, name] of names) assert.equal(variantName({ tag, number: 9 }), name)
})

test('equality of plain data, whatever the order of keys', () => {
  assert.ok(structurallyEqual({ a: [1, { b: null }], c: undefined }, { a: [1, { b: null }] }))
  assert.ok(structurallyEqual({ a: 1, b: 2 }, { b: 2, a: 1 }))
  assert.ok(!structurallyEqual({ a: 1 }, { a: 1, b: 2 }))
  assert.ok(!structurallyEqual([1], { 0: 1 }))
  assert.ok(!structurallyEqual({ toString: 1 }, { valueOf: 1 }))
})

test('without a lock numbers follow the order of declaration, and asking again changes nothing', () => {
  const numbers = declarationOrder()

  assert.deepEqual([numbers.field('A', 'x'), numbers.field('A', 'y'), numbers.field('B', 'x')], [1, 2, 1])
  assert.equal(numbers.field('A', 'x'), 1)
  assert.deepEqual([numbers.enumValue('E', 'LOW', 0), numbers.enumValue('E', 'NEGATIVE', -3)], [0, -3])
  assert.deepEqual([numbers.enumValue('S', 'NEW', 'new'), numbers.enumValue('S', 'PAID', 'paid')], [1, 2])
  assert.equal(numbers.variant('U', 'card'), 1)
  assert.equal(numbers.reserved('A'), undefined)
})
