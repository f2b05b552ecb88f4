import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as z from 'zod'
import { call } from '../../contract/call.ts'
import { contract, contractInfo } from '../../contract/contract.ts'
import type { CallOperation } from '../../contract/operation.ts'
import { messageCodec } from './message-codec.ts'

const Greeter = contract('test.greeter.v1', { greet: call({ input: z.object({ name: z.string() }) }) })

test('a message is compiled once for all connections, as long as format and depth are the same', () => {
  const { input } = contractInfo(Greeter).operations.get('greet') as CallOperation
  const codec = messageCodec(input, 'proto', 100)
  assert.equal(messageCodec(input, 'proto', 100), codec)
  assert.notEqual(messageCodec(input, 'proto', 99), codec)
  assert.notEqual(messageCodec(input, 'json', 100), codec)
})
