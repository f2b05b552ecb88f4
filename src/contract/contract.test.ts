import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as z from 'zod'
import { type CallDeclaration, call } from './call.ts'
import { collection } from './collection.ts'
import { ContractError } from './contract-error.ts'
import { about, contract, contractInfo } from './contract.ts'
import type { ContractOptions } from './declaration.ts'
import { event } from './event.ts'
import { fault } from './fault.ts'
import type { ContractInfo, Operation } from './operation.ts'
import { stream } from './stream.ts'
import { task } from './task.ts'

const Order = z.object({ id: z.string(), at: z.date() }).meta({ id: 'Order' })

function refused(code: ContractError['code'], run: () => unknown, message: RegExp): void {
  assert.throws(
    run,
    (error) => error instanceof ContractError && error.code === code && message.test(error.message),
    String(message),
  )
}

function operationOf<K extends Operation['kind']>(
  info: ContractInfo,
  name: string,
  kind: K,
): Extract<Operation, { kind: K }> {
  const operation = info.operations.get(name)
  assert.equal(operation?.kind, kind)
  return operation as Extract<Operation, { kind: K }>
}

/** A contract of one call, as JavaScript would write it: nothing is checked by TypeScript. */
function of(declaration: object, options: ContractOptions = {}): ContractInfo {
  return contractInfo(contract('acme.x.v1', { it: call(declaration as { input: typeof Order }) }, options))
}

test('a contract has its operations under their own names, and all else behind one symbol', () => {
  const get = call({ input: Order })
  const Orders = contract('acme.orders.v1', { get })

  assert.deepEqual(Object.keys(Orders), ['get'])
  assert.equal(Orders.get, get)
  assert.equal(Orders[about].name, 'acme.orders.v1')
  assert.equal(about, Symbol.for('trunkline.contract'))
  assert.ok(Object.isFrozen(Orders))
})

test('contractInfo is for contracts', () => {
  refused('contract_option', () => contractInfo({} as never), /expected a contract/)
  refused('contract_option', () => contractInfo(undefined as never), /expected a contract/)
})

test('names on the wires follow from the names in the contract', () => {
  const info = contractInfo(
    contract('acme.orders.v1', { placeOrder: call({ input: Order }), placed: event({ payload: Order }) }),
  )
  const place = operationOf(info, 'placeOrder', 'call')

  assert.equal(info.grpcPackage, 'acme.orders.v1')
  assert.equal(info.grpcService, 'acme.orders.v1.Orders')
  assert.equal(info.soapNamespace, 'urn:acme.orders.v1')
  assert.equal(place.id, 'acme.orders.v1/placeOrder')
  assert.equal(place.contract, info)
  assert.equal(place.grpc, 'acme.orders.v1.Orders/PlaceOrder')
  assert.equal(place.rest.path, '/acme.orders.v1/placeOrder')
  assert.deepEqual(place.soap, { action: 'urn:acme.orders.v1#placeOrder', element: 'placeOrder' })
  assert.equal(operationOf(info, 'placed', 'event').topic, 'acme.orders.v1.placed')
})

test('every name on the wires can be another', () => {
  const info = contractInfo(
    contract(
      'acme.orders.v1',
      {
        place: call({
          input: Order,
          grpc: 'legacy.OrderService/Create',
          soap: { action: 'http://shop/Create', element: 'CreateOrder' },
          rest: 'POST /orders',
        }),
        get: call({ input: Order }),
        placed: event({ payload: Order, topic: 'shop-orders' }),
        invoice: task({ input: Order }),
      },
      {
        grpc: 'shop.Orders',
        soap: { namespace: 'http://shop.example/orders' },
        rest: { prefix: '/api/v2' },
        topic: 'shop',
      },
    ),
  )
  const place = operationOf(info, 'place', 'call')
  const get = operationOf(info, 'get', 'call')

  assert.equal(info.grpcPackage, 'shop')
  assert.equal(place.grpc, 'legacy.OrderService/Create')
  assert.equal(get.grpc, 'shop.Orders/Get')
  assert.deepEqual(place.soap, { action: 'http://shop/Create', element: 'CreateOrder' })
  assert.equal(get.soap.action, 'http://shop.example/orders/get')
  assert.equal(place.rest.path, '/api/v2/orders')
  assert.equal(get.rest.path, '/api/v2/acme.orders.v1/get')
  assert.equal(operationOf(info, 'placed', 'event').topic, 'shop-orders')
  assert.equal(operationOf(info, 'invoice', 'task').topic, 'shop.invoice')
})

test('messages are named by operation and role, unless they have an id', () => {
  const Line = z.object({ sku: z.string() })
  const info = contractInfo(
    contract('acme.orders.v1', {
      place: call({
        input: Line,
        output: stream(Line),
        faults: { outOfStock: fault('failed_precondition', Line) },
      }),
      list: call({ output: z.array(Order) }),
      get: call({ input: Line, output: Order }),
      placed: event({ payload: Line }),
      invoice: task({ input: Line, output: Line }),
      stock: collection({ key: z.string(), value: Line }),
    }),
  )
  const place = operationOf(info, 'place', 'call')
  const stock = operationOf(info, 'stock', 'collection')

  assert.equal(place.input?.name, 'PlaceRequest')
  assert.equal(place.output?.name, 'PlaceResponse')
  assert.equal(place.faults['outOfStock']?.detail?.name, 'PlaceOutOfStock')
  assert.equal(operationOf(info, 'get', 'call').input?.name, 'GetRequest')
  assert.equal(operationOf(info, 'get', 'call').output?.name, 'Order')
  assert.equal(operationOf(info, 'list', 'call').output?.name, 'ListResponse')
  assert.equal(operationOf(info, 'placed', 'event').payload.name, 'PlacedEvent')
  assert.equal(operationOf(info, 'invoice', 'task').input?.name, 'InvoiceTask')
  assert.equal(operationOf(info, 'invoice', 'task').output?.name, 'InvoiceResult')
  assert.deepEqual([stock.key.name, stock.value.name], ['StockKey', 'StockValue'])
  assert.equal(place.input?.schema.types, info.types)
  assert.ok(!Object.hasOwn(info.types, 'ListResponse'), 'a list is no type of its own')
})

test('the four kinds of streaming', () => {
  const info = contractInfo(
    contract('acme.x.v1', {
      unary: call({ input: Order, output: Order }),
      server: call({ input: Order, output: stream(Order) }),
      client: call({ input: stream(Order), output: Order }),
      both: call({ input: stream(Order), output: stream(Order) }),
    }),
  )
  const kinds = [...info.operations.keys()].map((name) => operationOf(info, name, 'call').streaming)
  assert.deepEqual(kinds, ['unary', 'server_streaming', 'client_streaming', 'bidirectional'])
})

test('a call without input, output and options needs no braces', () => {
  const info = contractInfo(contract('acme.x.v1', { ping: call(), tidy: task() }))

  assert.equal(operationOf(info, 'ping', 'call').rest.path, '/acme.x.v1/ping')
  assert.equal(operationOf(info, 'tidy', 'task').output, undefined)
})

test('a fault of one schema can be declared by several operations', () => {
  const Gone = fault('not_found', z.object({ at: z.date() }).meta({ id: 'Gone' }), {
    http: 410,
    doc: 'It was.',
  })
  const info = contractInfo(
    contract('acme.x.v1', { a: call({ faults: { gone: Gone } }), b: call({ faults: { gone: Gone } }) }),
  )
  const { detail, ...gone } = operationOf(info, 'b', 'call').faults['gone'] as NonNullable<
    ReturnType<typeof operationOf<'call'>>['faults'][string]
  >

  assert.deepEqual(gone, { name: 'gone', code: 'not_found', http: 410, doc: 'It was.' })
  assert.equal(detail?.name, 'Gone')
})

test('what else a call says is there', () => {
  const it = operationOf(
    of({ timeout: '1.5s', scopes: ['a', 'b'], doc: 'Does it.', deprecated: true, idempotency: 'keyed' }),
    'it',
    'call',
  )
  assert.deepEqual(
    [it.timeout, it.scopes, it.doc, it.deprecated, it.idempotency],
    [1_500, ['a', 'b'], 'Does it.', true, 'keyed'],
  )

  const bare = operationOf(of({}), 'it', 'call')
  assert.deepEqual(
    [bare.timeout, bare.scopes, bare.doc, bare.input, bare.output],
    [undefined, [], undefined, undefined, undefined],
  )
  assert.ok(!('deprecated' in bare))
})

test('two operations that are the same on some wire are refused', () => {
  const one = (a: CallDeclaration, b: CallDeclaration, names = ['a', 'b'] as const) =>
    contract('acme.x.v1', { [names[0]]: a, [names[1]]: b })

  refused(
    'name_conflict',
    () => one(call({}), call({}), ['placeOrder', 'place_order'] as never),
    /'placeOrder' and 'place_order' are both the gRPC method acme\.x\.v1\.X\/PlaceOrder/,
  )
  refused(
    'name_conflict',
    () => one(call({ grpc: 's.S/M' }), call({ grpc: 's.S/M' })),
    /s\.S\/M; rename one, or give it another name by grpc:/,
  )
  refused(
    'name_conflict',
    () => one(call({ soap: { element: 'E' } }), call({ soap: { element: 'E' } })),
    /the SOAP element E/,
  )
  refused(
    'name_conflict',
    () => contract('x', { a: event({ payload: Order, topic: 't' }), b: task({ topic: 't' }) }),
    /the topic t/,
  )
  refused(
    'rest_conflict',
    () => one(call({ rest: 'GET /a' }), call({ rest: 'GET /a' })),
    /'a' \(GET \/a\) and 'b' \(GET \/a\) are the same route/,
  )
  refused(
    'rest_conflict',
    () =>
      contract('x', {
        a: call({ input: Order, rest: 'POST /a/{id}' }),
        b: call({ input: Order, rest: 'POST /{id}/b' }),
      }),
    /neither is the more specific/,
  )
  refused('rest_conflict', () => one(call({ rest: 'POST /acme.x.v1/b' }), call({})), /are the same route/)
})

test('two messages of one name are refused', () => {
  const Named = z.object({ x: z.string() }).meta({ id: 'ListResponse' })
  refused(
    'name_conflict',
    () => contract('x', { list: call({ output: z.array(z.string()) }), get: call({ output: Named }) }),
    /the message ListResponse of 'list' has the name of a type/,
  )

  // Of two different types with one name the schema room says where both are.
  const Other = z.object({ y: z.string() }).meta({ id: 'ListResponse' })
  assert.throws(
    () => contract('x', { a: call({ output: Named }), b: call({ output: Other }) }),
    /ListResponse/,
  )
})

test('what cannot be carried is refused with operation and path', () => {
  const Wrong = z.object({ lines: z.array(z.object({ made: z.string().transform(Number) })) })
  assert.throws(
    () => contract('acme.orders.v1', { place: call({ input: Wrong }) }),
    /acme\.orders\.v1\/place input, lines\[\]\.made/,
  )
})

test('what JavaScript lets through is refused at run time', () => {
  refused('contract_name', () => contract('Orders', {}), /'Orders'/)
  refused('contract_option', () => contract('x', undefined as never), /the second argument is the operations/)
  refused('operation_name', () => contract('x', { 'a-b': call({}) }), /'aB'/)
  refused('operation_name', () => contract('x', { toJSON: call({}) }), /toJSON/)
  refused(
    'contract_option',
    () => contract('x', { get: Order } as never),
    /'get' is no operation: declare it with call/,
  )
  refused('contract_option', () => contract('x', { get: undefined } as never), /'get' is no operation/)
  refused(
    'contract_option',
    () => of({ inputs: Order }),
    /acme\.x\.v1\/it: 'inputs' is no option; did you mean 'input'/,
  )
  refused('contract_option', () => of({}, { locks: {} } as never), /'locks' is no option/)
  refused(
    'contract_option',
    () => of({}, { soap: 'urn:x' } as never),
    /soap: expected \{ namespace \}, got "urn:x"/,
  )
  refused('contract_option', () => of({ idempotency: 'key' }), /"key": write 'safe', 'idempotent' or 'keyed'/)
  refused('contract_option', () => of({ timeout: 'soon' }), /it: timeout: expected/)
  refused('contract_option', () => of({ scopes: ['a b'] }), /a scope is printable ASCII/)
  refused(
    'contract_option',
    () => of({ faults: { gone: 'not_found' } }),
    /fault gone: declare it with fault\(code\)/,
  )
  refused(
    'contract_option',
    () => of({ faults: { gone: fault('gone' as 'internal') } }),
    /"gone" is no status code: write one of canceled/,
  )
  refused(
    'contract_option',
    () => of({ faults: { gone: fault('not_found', undefined, { http: 200 }) } }),
    /200 is no error/,
  )
  refused(
    'operation_name',
    () => of({ faults: { 'not-there': fault('not_found') } }),
    /'not-there' cannot be a fault's name/,
  )
  refused('operation_name', () => of({}, { grpc: 'shop/Orders' }), /no name on gRPC/)
  refused('operation_name', () => of({ grpc: 'Orders' }), /no method of gRPC/)
  refused('operation_name', () => of({}, { topic: 'a b' }), /cannot be a topic's name/)
  refused(
    'contract_option',
    () => of({ input: Order.optional() }),
    /it input: a whole message cannot be optional/,
  )
})

test('events keep an order by a scalar of theirs', () => {
  const info = contractInfo(contract('x', { placed: event({ payload: Order, orderBy: 'id' }) }))
  assert.equal(operationOf(info, 'placed', 'event').orderBy, 'id')

  refused(
    'contract_option',
    () => contract('x', { placed: event({ payload: Order, orderBy: 'ident' as 'id' }) }),
    /orderBy: 'ident' must be a field/,
  )
  refused(
    'contract_option',
    () => contract('x', { placed: event({ payload: z.object({ o: Order }), orderBy: 'o' }) }),
    /orderBy: 'o' must be/,
  )
})

test('tasks and collections take one message; a key is a scalar', () => {
  refused(
    'contract_option',
    () => contract('x', { t: task({ input: stream(Order) as never }) }),
    /a task is one message/,
  )
  refused(
    'contract_option',
    () => contract('x', { e: event({ payload: stream(Order) as never }) }),
    /payload is one message and no stream/,
  )
  refused(
    'contract_option',
    () => contract('x', { c: collection({ key: Order, value: Order }) }),
    /a collection's key must be a string/,
  )
  refused(
    'contract_option',
    () => contract('x', { c: collection({ key: z.string() } as never) }),
    /value is missing/,
  )
})
