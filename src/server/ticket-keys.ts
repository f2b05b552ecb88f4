/**
 * The keys of session tickets (RFC 5077, RFC 8446 section 4.6.1). A ticket is the session itself, encrypted by them, and kept
 * by the client: whoever has them can read TLS 1.2's recorded connections, so they do not live as long as a process does.
 */
import { randomBytes } from 'node:crypto'
import type { Server } from 'node:tls'
import type { Logger } from '../call/logger.ts'
import type { OptionRule } from '../call/options.ts'

/** 48 random bytes, or a function that returns those of the moment. */
export type TicketKeys = Buffer | (() => Buffer)

/** Of OpenSSL: a name, and keys for HMAC and AES, of 16 bytes each. */
const size = 48
const day = 86_400_000
const minute = 60_000

export const someTicketKeys: OptionRule = {
  fits: (value) => typeof value === 'function' || Buffer.isBuffer(value),
  expected: `${size} random bytes as a Buffer, or a function that returns them`,
  secret: true,
}

/** The keys of the moment. Throws TypeError when they are of another size. */
export function checkedTicketKeys(given: TicketKeys): Buffer {
  const keys = typeof given === 'function' ? given() : given
  if (Buffer.isBuffer(keys) && keys.length === size) return keys
  const got = Buffer.isBuffer(keys) ? `${keys.length} bytes` : 'something else'
  throw new TypeError(
    `serve: tls: ticketKeys: expected a Buffer of ${size} bytes, such as of crypto.randomBytes(${size}), got ${got}`,
  )
}

/** Gives a server new keys from time to time, until it closes. Tickets made with the old ones are then worth nothing. */
export function renewTicketKeys(server: Server, given: TicketKeys | undefined, log: Logger): void {
  if (given !== undefined && typeof given !== 'function') return

  const renew = () => {
    try {
      const keys = given === undefined ? randomBytes(size) : checkedTicketKeys(given)
      if (!keys.equals(server.getTicketKeys())) server.setTicketKeys(keys)
    } catch (error) {
      log.error({ err: error }, 'tls: the keys of session tickets could not be renewed; the old ones stay')
    }
  }
  const timer = setInterval(renew, given === undefined ? day : minute)
  timer.unref()
  server.once('close', () => clearInterval(timer))
}
