import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HpackDecoder } from './decoder.ts'
import { HpackError } from './failure.ts'

const open = { maxListSize: 1 << 20 }

/**
 * The examples of RFC 7541 appendix C.2 to C.6: a table size, and for each block of a connection its octets,
 * list and table size.
 */
type Example = [octets: string, list: string, tableSize: number]

const requests = [
  ':method: GET | :scheme: http | :path: / | :authority: www.example.com',
  ':method: GET | :scheme: http | :path: / | :authority: www.example.com | cache-control: no-cache',
  ':method: GET | :scheme: https | :path: /index.html | :authority: www.example.com | custom-key: custom-value',
] as const

const answers = [
  ':status: 302 | cache-control: private | date: Mon, 21 Oct 2013 20:13:21 GMT | location: https://www.example.com',
  ':status: 307 | cache-control: private | date: Mon, 21 Oct 2013 20:13:21 GMT | location: https://www.example.com',
  ':status: 200 | cache-control: private | date: Mon, 21 Oct 2013 20:13:22 GMT | location: https://www.example.com | ' +
    'content-encoding: gzip | set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
] as const

const examples: [name: string, tableSize: number, blocks: Example[]][] = [
  [
    'C.2.1 literal with indexing',
    4096,
    [['400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572', 'custom-key: custom-header', 55]],
  ],
  [
    'C.2.2 literal without indexing',
    4096,
    [['040c 2f73 616d 706c 652f 7061 7468', ':path: /sample/path', 0]],
  ],
  [
    'C.2.3 literal never indexed',
    4096,
    [['1008 7061 7373 776f 7264 0673 6563 7265 74', 'password: secret', 0]],
  ],
  ['C.2.4 indexed', 4096, [['82', ':method: GET', 0]]],
  [
    'C.3 requests',
    4096,
    [
      ['8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d', requests[0], 57],
      ['8286 84be 5808 6e6f 2d63 6163 6865', requests[1], 110],
      ['8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65', requests[2], 164],
    ],
  ],
  [
    'C.4 requests, Huffman-coded',
    4096,
    [
      ['8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff', requests[0], 57],
      ['8286 84be 5886 a8eb 1064 9cbf', requests[1], 110],
      ['8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf', requests[2], 164],
    ],
  ],
  [
    'C.5 answers, with evictions',
    256,
    [
      [
        '4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d ' +
          '546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
        answers[0],
        222,
      ],
      ['4803 3330 37c1 c0bf', answers[1], 222],
      [
        '88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f ' +
          '6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b ' +
          '2076 6572 7369 6f6e 3d31',
        answers[2],
        215,
      ],
    ],
  ],
  [
    'C.6 answers, Huffman-coded, with evictions',
    256,
    [
      [
        '4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 ' +
          '8f0b 97c8 e9ae 82ae 43d3',
        answers[0],
        222,
      ],
      ['4883 640e ffc1 c0bf', answers[1], 222],
      [
        '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 ' +
          'dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
        answers[2],
        215,
      ],
    ],
  ],
]

const bytesOf = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex')
const listOf = (text: string) =>
  text.split(' | ').flatMap((field) => /^(:?[^:]+): (.*)$/.exec(field)!.slice(1))

for (const [name, tableSize, blocks] of examples) {
  test(`RFC 7541 ${name}`, () => {
    const decoder = new HpackDecoder({ tableSize, ...open })

    for (const [octets, list, size] of blocks) {
      const bytes = bytesOf(octets)
      const block = decoder.decode(bytes, 0, bytes.length)
      assert.deepEqual(block.fields, listOf(list))
      assert.equal(block.valid, true)
      assert.equal(decoder.tableSize, size)
    }
  })

  test(`RFC 7541 ${name}: cut anywhere it is a shorter list or refused`, () => {
    for (let cut = 0; cut < bytesOf(blocks[0]![0]).length; cut += 1) {
      const decoder = new HpackDecoder({ tableSize, ...open })
      const bytes = bytesOf(blocks[0]![0])
      const whole = listOf(blocks[0]![1])

      try {
        const { fields } = decoder.decode(bytes, 0, cut)
        assert.deepEqual(fields, whole.slice(0, fields.length))
        assert.ok(fields.length < whole.length)
      } catch (error) {
        assert.ok(error instanceof HpackError)
      }
    }
  })
}
