import assert from 'node:assert/strict'
import test from 'node:test'
import { type Filter, call, connect, contract, currentCall, implement, serve, stream } from 'trunkline'
import { collect } from 'trunkline/testing'
import * as z from 'zod'
import { signal } from '../../test/support/events.ts'
import { quiet } from '../../test/support/quiet-log.ts'

const Name = z.object({ name: z.string() })
const Names = contract('test.current.v1', {
  first: call({ output: Name }),
  second: call({ output: Name }),
  later: call({ output: stream(Name) }),
  atOnce: call({ output: stream(Name) }),
  given: call({ input: stream(Name), output: stream(Name) }),
})

const current = () => ({ name: currentCall()?.operation.name ?? 'none' })

for (const scheme of ['in-process', 'trunk', 'http']) {
  const both = signal()
  let inside = 0
  const meet = async () => {
    assert.equal(currentCall()?.canceled, undefined)
    inside++
    if (inside === 2) both.resolve()
    await both.promise
    await new Promise(setImmediate)
    return current()
  }
  const implementation = implement(Names, {
    first: meet,
    second: meet,
    async *later() {
      yield current()
      await new Promise(setImmediate)
      yield current()
    },
    *atOnce() {
      yield current()
      yield current()
    },
    async *given(names) {
      for await (const { name } of names) yield { name: `${name} ${current().name}` }
    },
  })

  test(`the current call is known in handlers, after awaits and in generators, over ${scheme}`, async () => {
    const seen: string[] = []
    const filter: Filter = (next) => async (each) => {
      seen.push(current().name)
      await new Promise(setImmediate)
      seen.push(current().name)
      return next(each)
    }
    await using server = await serve(implementation, { port: 0, log: quiet, filters: [filter] })
    const target = scheme === 'in-process' ? server : `${scheme}://127.0.0.1:${server.port}`
    await using client = connect(Names, target, { log: quiet })

    const [one, two] = await Promise.all([client.first(), client.second()])
    assert.deepEqual(
      [one.name, two.name],
      ['first', 'second'],
      'two calls at once on one connection do not mix',
    )
    assert.deepEqual(seen.sort(), ['first', 'first', 'second', 'second'])

    const names = (all: { name: string }[]) => all.map(({ name }) => name)
    const [later, atOnce] = await Promise.all([collect(client.later()), collect(client.atOnce())])
    assert.deepEqual(names(later), ['later', 'later'])
    assert.deepEqual(names(atOnce), ['atOnce', 'atOnce'])
    const given = await collect(client.given([{ name: 'a' }, { name: 'b' }]))
    assert.deepEqual(names(given), ['a given', 'b given'])
    assert.equal(currentCall(), undefined, 'outside there is none')
  })
}
