/**
 * How a server says over HTTP what it serves: `GET /trunkline.json`, a JSON array of descriptions (contract/describe.ts)
 * of the media type `application/json`. For callers that have no contract, as trunk's DESCRIBE frame is.
 */
import { CallError } from '../../call/error.ts'
import { type ContractDescription, describe } from '../../contract/describe.ts'
import type { ContractInfo } from '../../contract/operation.ts'
import { statusFromHttp } from '../../contract/status.ts'
import type { HttpTransport } from '../../http/exchange.ts'
import { HttpHeaders } from '../../http/headers.ts'
import type { DescribeOptions } from '../wire.ts'
import { readProblemText } from './problem.ts'

export const descriptionPath = '/trunkline.json'

const noFaults = { detail: () => undefined }

/** The document. */
export function writeDescription(contracts: readonly ContractInfo[]): string {
  return JSON.stringify(contracts.map(describe))
}

/** Reads it from a server. Rejects with `CallError`; `unimplemented` when the server has none. */
export function fetchDescription(
  transport: HttpTransport,
  { url, peer, limits }: DescribeOptions,
): Promise<readonly ContractDescription[]> {
  const socket = url.protocol.endsWith('+unix:')
  const target = `${socket ? '' : url.pathname.replace(/\/+$/, '')}${descriptionPath}`
  const authority = socket ? 'localhost' : url.host
  const headers = new HttpHeaders(['accept', 'application/json'])

  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    let status = 0

    const exchange = transport.request({ method: 'GET', target, authority, headers }, undefined, {
      head: (head) => {
        status = head.status
      },
      data(bytes, start, end) {
        size += end - start
        if (size <= limits.messageSize) {
          chunks.push(Buffer.from(bytes.subarray(start, end)))
          return
        }
        exchange.cancel()
        reject(failure('resource_exhausted', `the description is larger than ${limits.messageSize} bytes`))
      },
      end() {
        if (status === 200) resolve(read(Buffer.concat(chunks)))
        else reject(refused(status, Buffer.concat(chunks).toString('utf8')))
      },
      abort: ({ message, processed }) =>
        reject(new CallError('unavailable', message, { processed, origin: 'downstream' })),
    })

    function read(json: Buffer): readonly ContractDescription[] | Promise<never> {
      try {
        const list: unknown = JSON.parse(json.toString('utf8'))
        if (Array.isArray(list)) return list as ContractDescription[]
      } catch {
        // Not JSON is no description either.
      }
      return Promise.reject(none(`${target} is no list of descriptions`))
    }

    function refused(answer: number, text: string): CallError {
      if (statusFromHttp(answer) === 'not_found') return none(`there is no ${target}`)
      const { code, message } = readProblemText(text, answer, noFaults)
      return failure(code, `${target} was answered with HTTP ${answer}: ${message}`)
    }
  })

  function none(why: string): CallError {
    return failure('unimplemented', `the server does not describe itself, ${why}`)
  }

  function failure(code: CallError['code'], why: string): CallError {
    return new CallError(code, `${peer.address}: ${why}`, { origin: 'downstream' })
  }
}
