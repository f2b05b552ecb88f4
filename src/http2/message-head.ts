/**
 * HOT PATH. What a decoded header block says: a request's head, an answer's, or trailers (RFC 9113 section 8). Pure. Whatever
 * is malformed says why. What a block says is kept with it, since the same block gives the same object: a head that comes
 * again costs nothing.
 *
 *     request   = :method :scheme :path [ :authority ] *field        CONNECT: :method :authority
 *     answer    = :status *field
 *     trailers  = *field
 *     field     = name in lower case, no connection-specific one (section 8.2.2)
 */
import { isAuthority } from '../http/authority.ts'
import { isToken } from '../http/field.ts'
import { HttpHeaders } from '../http/headers.ts'
import type { DecodedBlock } from './hpack/decoder.ts'

/** A request's head, without what its connection knows. */
export class RequestHead {
  readonly method: string
  readonly target: string
  readonly authority: string
  readonly headers: HttpHeaders
  /** What content-length says; -1: nothing. */
  readonly length: number
  readonly expectsContinue: boolean
  /** What the connection makes of it. */
  attachment: unknown = undefined

  constructor(method: string, target: string, authority: string, fields: Fields) {
    this.method = method
    this.target = target
    this.authority = authority
    this.headers = new HttpHeaders(fields.list)
    this.length = fields.length
    this.expectsContinue = fields.expect !== undefined && fields.expect.toLowerCase() === '100-continue'
  }
}

/** An answer's head. */
export class ResponseHead {
  readonly status: number
  readonly headers: HttpHeaders
  /** What content-length says; -1: nothing. */
  readonly length: number

  constructor(status: number, fields: Fields) {
    this.status = status
    this.headers = new HttpHeaders(fields.list)
    this.length = fields.length
  }
}

/** Trailers. */
export class Trailers {
  readonly headers: HttpHeaders

  constructor(list: string[]) {
    this.headers = new HttpHeaders(list)
  }
}

/** The request that a block is, or why it is malformed. */
export function requestHead(block: DecodedBlock): RequestHead | string {
  if (block.attachment instanceof RequestHead) return block.attachment
  const head = readRequest(block)
  if (typeof head !== 'string') block.attachment = head
  return head
}

/** The answer that a block is, or why it is malformed. */
export function responseHead(block: DecodedBlock): ResponseHead | string {
  if (block.attachment instanceof ResponseHead) return block.attachment
  const head = readResponse(block)
  if (typeof head !== 'string') block.attachment = head
  return head
}

/** The trailers that a block is, or why they are malformed. */
export function trailers(block: DecodedBlock): Trailers | string {
  if (block.attachment instanceof Trailers) return block.attachment
  const fields = new Fields()
  const wrong = fields.read(block, 0)
  if (wrong !== undefined) return wrong
  const read = new Trailers(fields.list)
  block.attachment = read
  return read
}

/** What was found good last: most requests have the same again. */
let knownMethod = 'GET'
let knownPath = '/'
let knownAuthority = 'localhost'

function readRequest(block: DecodedBlock): RequestHead | string {
  const { fields: all } = block
  let method: string | undefined
  let scheme: string | undefined
  let path: string | undefined
  let authority: string | undefined
  let at = 0

  for (; at < all.length && (all[at] as string).charCodeAt(0) === 0x3a; at += 2) {
    const value = all[at + 1] as string
    switch (all[at]) {
      case ':method':
        if (method !== undefined) return ':method is given twice'
        method = value
        break
      case ':scheme':
        if (scheme !== undefined) return ':scheme is given twice'
        scheme = value
        break
      case ':path':
        if (path !== undefined) return ':path is given twice'
        path = value
        break
      case ':authority':
        if (authority !== undefined) return ':authority is given twice'
        authority = value
        break
      default:
        return `a request has no ${all[at]}`
    }
  }

  if (method === undefined) return ':method is missing'
  if (method !== knownMethod) {
    if (!isToken(method)) return ':method is no token'
    knownMethod = method
  }
  const fields = new Fields()
  const wrong = fields.read(block, at)
  if (wrong !== undefined) return wrong

  if (method === 'CONNECT') {
    if (scheme !== undefined || path !== undefined) return 'CONNECT has neither :scheme nor :path'
    if (authority === undefined || !isAuthority(authority)) return 'CONNECT needs an :authority'
    return new RequestHead(method, authority, authority, fields)
  }
  if (scheme === undefined || path === undefined) return ':scheme or :path is missing'
  if (!schemeShape.test(scheme)) return ':scheme is none'
  if (path !== knownPath) {
    if (targetShape.test(path)) knownPath = path
    else if (path !== '*' || method !== 'OPTIONS') return ':path is no path'
  }

  const { host } = fields
  if (authority === undefined) authority = host
  else if (host !== undefined && host.toLowerCase() !== authority.toLowerCase()) {
    return 'host differs from :authority'
  }
  if (authority === undefined) return 'neither :authority nor host is given'
  if (authority !== knownAuthority) {
    if (!isAuthority(authority)) return ':authority is not host[:port]'
    knownAuthority = authority
  }
  return new RequestHead(method, path, authority, fields)
}

const schemeShape = /^[A-Za-z][A-Za-z0-9+.-]*$/
const targetShape = /^\/[\x21\x22\x24-\x7e\x80-\xff]*$/

function readResponse(block: DecodedBlock): ResponseHead | string {
  const { fields: all } = block
  const status = all[1]
  if (all[0] !== ':status' || status === undefined) return ':status is missing, or not the first'
  if (!statusShape.test(status)) return ':status is not of three digits'
  const fields = new Fields()
  return fields.read(block, 2) ?? new ResponseHead(Number(status), fields)
}

const statusShape = /^[1-9][0-9]{2}$/

/** The fields behind the pseudo-header fields. */
class Fields {
  readonly list: string[] = []
  length = -1
  host: string | undefined
  expect: string | undefined
  #cookieAt = -1

  /** Reads those from `from` on; says what is wrong with them, if something is. */
  read(block: DecodedBlock, from: number): string | undefined {
    if (!block.valid) return 'a field has a name or a value that cannot be one'
    const { fields: all } = block
    const { list } = this
    for (let i = from; i < all.length; i += 2) {
      const name = all[i] as string
      const value = all[i + 1] as string
      switch (name) {
        case 'connection':
        case 'proxy-connection':
        case 'keep-alive':
        case 'transfer-encoding':
        case 'upgrade':
          return `${name} is for HTTP/1.1`
        case 'te':
          if (value.toLowerCase() !== 'trailers') return 'te is not "trailers"'
          break
        case 'host':
          if (this.host !== undefined && this.host !== value) return 'host is given twice'
          this.host = value
          break
        case 'expect':
          this.expect = value
          break
        case 'content-length': {
          const length = lengthShape.test(value) ? Number(value) : -1
          if (length < 0 || (this.length >= 0 && this.length !== length))
            return 'content-length is not one number'
          this.length = length
          break
        }
        case 'cookie':
          // It may come in pieces, for the table's sake (section 8.2.3).
          if (this.#cookieAt >= 0) {
            list[this.#cookieAt] = `${list[this.#cookieAt]}; ${value}`
            continue
          }
          this.#cookieAt = list.length + 1
          break
        default:
          if (name.charCodeAt(0) === 0x3a) return `${name} is out of place`
      }
      list.push(name, value)
    }
    return undefined
  }
}

const lengthShape = /^[0-9]{1,15}$/
