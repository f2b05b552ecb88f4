/**
 * Bytes in JSON: written as RFC 4648 §4 (standard alphabet, padded); read in the standard or the URL-safe alphabet
 * (§5), with or without padding. `Buffer` alone would skip whatever it does not know.
 */

const unpadded = /^[A-Za-z0-9+/_-]*$/

/** `undefined` when the text is not base64. */
export function parseBase64(text: string): Uint8Array | undefined {
  let length = text.length
  if (length % 4 === 0 && length > 0 && text.charCodeAt(length - 1) === 0x3d) {
    length -= text.charCodeAt(length - 2) === 0x3d ? 2 : 1
  }
  const digits = length === text.length ? text : text.slice(0, length)
  if (length % 4 === 1 || !unpadded.test(digits)) return undefined

  // A copy of its own: small Buffers are views of a shared pool, which they would keep alive.
  return new Uint8Array(Buffer.from(digits, 'base64'))
}

export function formatBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}
