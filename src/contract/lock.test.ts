import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import * as z from 'zod'
import { call } from './call.ts'
import { ContractError } from './contract-error.ts'
import { contract, contractInfo } from './contract.ts'
import { type Lock, readLock } from './lock.ts'
import { updateLock } from './lock-update.ts'
import type { ContractInfo } from './operation.ts'

const runs = 100 * Number(process.env['TRUNKLINE_FUZZ_RUNS'] ?? 1)

function infoOf(input: z.ZodType, lock?: unknown): ContractInfo {
  return contractInfo(
    contract('acme.orders.v1', { place: call({ input }) }, lock === undefined ? {} : { lock }),
  )
}

function objectOf(names: readonly string[]): z.ZodType {
  return z.object(Object.fromEntries(names.map((name) => [name, z.string()]))).meta({ id: 'Order' })
}

function numbersOf(info: ContractInfo, type = 'Order'): Record<string, number> {
  const named = info.types[type]
  assert.ok(named?.kind === 'object')
  return Object.fromEntries(named.fields.map(({ name, number }) => [name, number]))
}

/** The lock with `Order` as given. */
function lockOf(fields: Record<string, number>, reserved?: { numbers: number[]; names: string[] }): Lock {
  return {
    version: 1,
    contracts: {
      'acme.orders.v1': {
        messages: { Order: { fields, ...(reserved === undefined ? {} : { reserved }) } },
        enums: {},
        unions: {},
      },
    },
  }
}

const refused = (run: () => unknown, message: RegExp) =>
  assert.throws(
    run,
    (error) =>
      error instanceof ContractError && error.code === 'contract_lock' && message.test(error.message),
    String(message),
  )

test('without a lock the order of declaration gives the numbers', () => {
  const info = infoOf(objectOf(['sku', 'quantity']))
  assert.equal(info.locked, false)
  assert.deepEqual(numbersOf(info), { sku: 1, quantity: 2 })
})

test('with a lock its numbers count, and what it reserves is known', () => {
  const info = infoOf(
    objectOf(['quantity', 'sku']),
    lockOf({ sku: 7, quantity: 3 }, { numbers: [1], names: ['qty'] }),
  )
  assert.equal(info.locked, true)
  assert.deepEqual(numbersOf(info), { quantity: 3, sku: 7 })

  const order = info.types['Order']
  assert.ok(order?.kind === 'object')
  assert.deepEqual(order.reserved, { numbers: [1], names: ['qty'] })
})

test('a contract that has declared what is not in its lock is refused, with the command that helps', () => {
  refused(
    () => infoOf(objectOf(['sku', 'note', 'gift']), lockOf({ sku: 1 })),
    /no number for Order\.note, Order\.gift: run 'trunkline lock'/,
  )
  refused(
    () => infoOf(objectOf(['sku']), { version: 1, contracts: {} }),
    /'acme\.orders\.v1' is not in its lock: run 'trunkline lock'/,
  )
})

test('while trunkline lock loads contracts, a lock that is out of date is not looked at', () => {
  process.env['TRUNKLINE_LOCK'] = 'update'
  try {
    assert.equal(infoOf(objectOf(['sku', 'note']), lockOf({ sku: 1 })).locked, false)
  } finally {
    delete process.env['TRUNKLINE_LOCK']
  }
})

test('a lock that is none is refused with the path of what is wrong', () => {
  const order = (message: object) => ({ version: 1, contracts: { c: { messages: { Order: message } } } })

  refused(() => readLock('lock.json'), /the lock: must be an object; import trunkline\.lock\.json with/)
  refused(() => readLock({ contracts: {} }), /version: must be 1, is undefined/)
  refused(() => readLock({ version: 1, contracts: [] }), /contracts: must be an object/)
  refused(
    () => readLock(order({ fields: { a: 0 } })),
    /contracts\["c"\]\.messages\.Order\.fields\.a: 0 is no number/,
  )
  refused(() => readLock(order({ fields: { a: 19_500 } })), /19500 is no number/)
  refused(() => readLock(order({ fields: { a: 536_870_912 } })), /536870912/)
  refused(() => readLock(order({ fields: { a: '1' } })), /"1" is no number/)
  refused(() => readLock(order({ fields: { a: 1, b: 1 } })), /fields\.b: the number 1 is that of 'a' already/)
  refused(
    () => readLock(order({ fields: { a: 1 }, reserved: { numbers: [1], names: [] } })),
    /the number 1 is reserved already/,
  )
  refused(
    () => readLock(order({ reserved: { numbers: ['1'] } })),
    /reserved\.numbers: must be a list of integers/,
  )
  assert.deepEqual(readLock(JSON.parse('{ "version": 1 }')), { version: 1, contracts: {} })
})

test('an empty file is a lock that holds nothing yet', () => {
  refused(() => infoOf(objectOf(['sku']), {}), /is not in its lock: run 'trunkline lock'/)
  assert.deepEqual(
    updateLock(infoOf(objectOf(['sku'])), {}),
    updateLock(infoOf(objectOf(['sku'])), undefined),
  )
})

test('a first lock holds the numbers that were given by order', () => {
  const input = z.object({
    state: z.enum(['open', 'paid']).meta({ id: 'State' }),
    payment: z
      .discriminatedUnion('by', [
        z.object({ by: z.literal('card'), number: z.string() }).meta({ id: 'Card' }),
        z.object({ by: z.literal('cash') }).meta({ id: 'Cash' }),
      ])
      .meta({ id: 'Payment' }),
  })
  const info = infoOf(input)
  const { lock } = updateLock(info, undefined)

  assert.deepEqual(lock.contracts['acme.orders.v1'], {
    messages: {
      Card: { fields: { by: 1, number: 2 } },
      Cash: { fields: { by: 1 } },
      PlaceRequest: { fields: { state: 1, payment: 2 } },
    },
    enums: { State: { values: { OPEN: 1, PAID: 2 } } },
    unions: { Payment: { variants: { card: 1, cash: 2 } } },
  })

  const locked = infoOf(input, JSON.parse(JSON.stringify(lock)))
  assert.deepEqual(locked.types, info.types)
  assert.deepEqual(updateLock(locked, lock), { lock, changes: [] })
})

test('what is new gets the next number, what is gone is reserved, what comes back gets a new one', () => {
  const first = updateLock(infoOf(objectOf(['a', 'b'])), undefined)
  const second = updateLock(infoOf(objectOf(['c', 'a'])), first.lock)

  assert.deepEqual(second.lock.contracts['acme.orders.v1']?.messages['Order'], {
    fields: { a: 1, c: 3 },
    reserved: { numbers: [2], names: ['b'] },
  })
  assert.deepEqual(second.changes, ['Order.c is new: field 3', 'Order.b is gone: 2 stays reserved'])

  const third = updateLock(infoOf(objectOf(['a', 'b', 'c'])), second.lock)
  assert.deepEqual(third.lock.contracts['acme.orders.v1']?.messages['Order'], {
    fields: { a: 1, c: 3, b: 4 },
    reserved: { numbers: [2], names: [] },
  })
  assert.deepEqual(third.changes, ['Order.b is back, with the new number 4'])
})

test('a type that is gone stays in the lock, and begins above its old numbers when it is back', () => {
  const first = updateLock(infoOf(objectOf(['a', 'b'])), undefined)
  const gone = updateLock(infoOf(z.object({ x: z.string() })), first.lock)
  assert.deepEqual(gone.lock.contracts['acme.orders.v1']?.messages['Order'], {
    fields: {},
    reserved: { numbers: [1, 2], names: ['a', 'b'] },
  })

  const back = updateLock(infoOf(objectOf(['a'])), gone.lock)
  assert.deepEqual(back.lock.contracts['acme.orders.v1']?.messages['Order']?.fields, { a: 3 })
})

test('an object that becomes a union of the same name does not use its numbers again', () => {
  const first = updateLock(infoOf(objectOf(['a', 'b'])), undefined)
  const union = z
    .discriminatedUnion('by', [
      z.object({ by: z.literal('x') }).meta({ id: 'X' }),
      z.object({ by: z.literal('y') }).meta({ id: 'Y' }),
    ])
    .meta({ id: 'Order' })
  const second = updateLock(infoOf(z.object({ order: union })), first.lock)

  assert.deepEqual(second.lock.contracts['acme.orders.v1']?.unions['Order'], { variants: { x: 3, y: 4 } })
})

test('protobuf keeps 19000 to 19999 for itself', () => {
  const { lock } = updateLock(infoOf(objectOf(['a', 'b'])), lockOf({ a: 18_999 }))
  assert.deepEqual(lock.contracts['acme.orders.v1']?.messages['Order']?.fields, { a: 18_999, b: 20_000 })

  refused(() => updateLock(infoOf(objectOf(['a', 'b'])), lockOf({ a: 536_870_911 })), /the last number/)
})

test('a field that is renamed keeps its number', () => {
  const { lock, changes } = updateLock(infoOf(objectOf(['quantity', 'sku'])), lockOf({ qty: 1, sku: 2 }), {
    renames: { 'Order.qty': 'quantity' },
  })
  assert.deepEqual(lock.contracts['acme.orders.v1']?.messages['Order'], { fields: { quantity: 1, sku: 2 } })
  assert.deepEqual(changes, ['Order.qty is quantity now, and keeps 1'])
})

test('a type that is renamed keeps its numbers', () => {
  const purchase = z.object({ sku: z.string() }).meta({ id: 'Purchase' })
  const { lock } = updateLock(infoOf(purchase), lockOf({ sku: 5 }), { renames: { Order: 'Purchase' } })
  assert.deepEqual(lock.contracts['acme.orders.v1']?.messages, { Purchase: { fields: { sku: 5 } } })
})

test('a rename that fits nothing is refused', () => {
  const info = infoOf(objectOf(['sku', 'note']))
  const lock = lockOf({ sku: 1, old: 2 })
  const rename = (from: string, to: string) => () => updateLock(info, lock, { renames: { [from]: to } })

  refused(rename('Order.qty', 'note'), /the lock has no field 'qty' in Order; there are /)
  refused(rename('Order.old', 'nothing'), /Order declares no field 'nothing'; there are sku, note/)
  refused(
    rename('Order.sku', 'note'),
    /Order\.sku is still declared: give it its new name in the contract first/,
  )
  refused(
    rename('Order.old', 'sku'),
    /Order\.sku has the number \d+ of its own already; if it is the same as Order\.old, take the lock file of before/,
  )
  refused(rename('Order', 'Purchase'), /Order is still declared/)
  rename('Order.old', 'Order.note')()
})

test('renumbering is refused', () => {
  const info = infoOf(objectOf(['sku']), lockOf({ sku: 1 }))
  refused(
    () => updateLock(info, lockOf({ sku: 2 })),
    /Order\.sku has the number 2 in the lock, but 1 is declared: numbers never change/,
  )
  refused(
    () => updateLock(info, lockOf({}, { numbers: [1], names: ['old'] })),
    /declared with the number 1, which was used before/,
  )
})

test('a lock holds several contracts, and an update touches one', () => {
  const other = updateLock(
    contractInfo(contract('acme.other.v1', { go: call({ input: objectOf(['x']) }) })),
    undefined,
  ).lock
  const { lock } = updateLock(infoOf(objectOf(['sku'])), other)

  assert.deepEqual(Object.keys(lock.contracts), ['acme.other.v1', 'acme.orders.v1'])
  assert.deepEqual(lock.contracts['acme.other.v1'], other.contracts['acme.other.v1'])
})

test('no sequence of edits ever changes or uses again a number', () => {
  const pool = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
  const edit = fc.oneof(
    fc.record({ kind: fc.constant('set' as const), names: fc.shuffledSubarray(pool, { minLength: 1 }) }),
    fc.record({ kind: fc.constant('rename' as const), from: fc.nat(7), to: fc.constantFrom(...pool) }),
  )

  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 12 }), (edits) => {
      let names: readonly string[] = ['a', 'b', 'c']
      let lock: Lock = updateLock(infoOf(objectOf(names)), undefined).lock

      /** Who had a number, by identity: a rename keeps the identity, removing and adding again does not. */
      const owners = new Map<number, string>()
      const identities = new Map<string, string>()
      let made = 0

      const claim = () => {
        const info = infoOf(objectOf(names), lock)

        for (const [name, number] of Object.entries(numbersOf(info))) {
          const identity = identities.get(name) ?? `${name}#${made++}`
          identities.set(name, identity)
          assert.equal(owners.get(number) ?? identity, identity, `the number ${number} of ${name}`)
          owners.set(number, identity)
        }

        // One owner, one number.
        assert.equal(new Set(owners.values()).size, owners.size)
      }

      claim()

      for (const change of edits) {
        if (change.kind === 'set') {
          for (const name of names) if (!change.names.includes(name)) identities.delete(name)
          names = change.names
          lock = updateLock(infoOf(objectOf(names)), JSON.parse(JSON.stringify(lock))).lock
        } else {
          const from = names[change.from % names.length] as string
          if (names.includes(change.to)) continue

          names = names.map((name) => (name === from ? change.to : name))
          identities.set(change.to, identities.get(from) as string)
          identities.delete(from)
          lock = updateLock(infoOf(objectOf(names)), lock, { renames: { [`Order.${from}`]: change.to } }).lock
        }

        claim()
      }
    }),
    { numRuns: runs },
  )
})
