import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ContractError } from './contract-error.ts'
import {
  checkContractName,
  checkOperationName,
  checkTopic,
  defaultGrpcService,
  parseGrpcMethod,
} from './names.ts'

const refused = (run: () => unknown, message: RegExp) =>
  assert.throws(run, (error) => error instanceof ContractError && message.test(error.message))

test('contracts have lower-case dotted names', () => {
  for (const name of ['acme.orders.v1', 'orders', 'acme.order_lines.v2beta1', 'grpc.testing', 'a.v1.b'])
    checkContractName(name)
})

test('a wrong contract name is refused with a better one', () => {
  refused(() => checkContractName('Acme.Orders'), /'Acme'.*'acme\.orders'/)
  refused(() => checkContractName('acme/orderLines-x'), /'acme\.order_lines_x'/)
  refused(() => checkContractName('acme..v1'), /an empty segment.*'acme\.v1'/)
  refused(() => checkContractName('1acme'), /'acme'/)
  refused(() => checkContractName('acmé'), /'acm'/)
  refused(() => checkContractName(''), /needs a name/)
  refused(() => checkContractName('a'.repeat(129)), /128 characters/)
})

test('a version is v1, v2, v2beta1', () => {
  refused(() => checkContractName('acme.orders.v01'), /no version/)
  refused(() => checkContractName('acme.orders.v1_2'), /no version/)
  refused(() => checkContractName('acme.orders.v1rc'), /no version/)
})

test("trunkline's own names are reserved", () => {
  refused(() => checkContractName('trunkline.admin.v1'), /reserved.*'acme\.admin\.v1'/)
  refused(() => checkContractName('trunkline'), /reserved/)
  checkContractName('trunklines.v1')
})

test('operations have names of JavaScript and of every wire', () => {
  for (const name of ['place', 'placeOrder', 'place_order', 'UnaryCall', 'v2']) checkOperationName('x', name)

  refused(() => checkOperationName('x', 'place-order'), /'placeOrder'/)
  refused(() => checkOperationName('x', 'place order now'), /'placeOrderNow'/)
  refused(() => checkOperationName('x', '_place'), /: 'place'/)
  refused(() => checkOperationName('x', '$'), /such as placeOrder/)
  refused(() => checkOperationName('x', 'a'.repeat(65)), /64 characters/)
})

test('an operation does not hide what every JavaScript object has', () => {
  for (const name of [
    'then',
    'constructor',
    'toJSON',
    'toString',
    'valueOf',
    'hasOwnProperty',
    '__proto__',
    'prototype',
  ]) {
    refused(() => checkOperationName('x', name), /cannot be called/)
  }
})

test('the gRPC service is the last segment that is no version', () => {
  assert.equal(defaultGrpcService('acme.orders.v1'), 'acme.orders.v1.Orders')
  assert.equal(defaultGrpcService('acme.order_lines'), 'acme.order_lines.OrderLines')
  assert.equal(defaultGrpcService('orders'), 'orders.Orders')
  assert.equal(defaultGrpcService('v1'), 'v1.V1')
})

test('foreign names are checked as well', () => {
  assert.deepEqual(parseGrpcMethod('x', 'shop.Orders/PlaceOrder'), {
    service: 'shop.Orders',
    method: 'PlaceOrder',
  })
  for (const path of [
    'PlaceOrder',
    '/shop.Orders/Place',
    'shop.Orders/',
    'shop..Orders/Place',
    'a/b/c',
    'a b/c',
  ]) {
    refused(() => parseGrpcMethod('x', path), /package\.Service\/Method/)
  }

  checkTopic('x', 'legacy.orders-placed')
  for (const topic of ['', '.', 'a..b', 'a b', 'a/b', 'a'.repeat(201)])
    refused(() => checkTopic('x', topic), /topic/)
})
