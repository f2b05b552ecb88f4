/**
 * HOT PATH. The frame layer of HTTP/2 (RFC 9113 section 4.1) as numbers, and its header.
 *
 *     frame = length:24  type:8  flags:8  reserved:1 id:31  payload
 *
 *     DATA          0  [pad-length:8] data padding                                        flags END_STREAM PADDED
 *     HEADERS       1  [pad-length:8] [dependency:32 weight:8] block-fragment padding     … END_HEADERS PRIORITY
 *     PRIORITY      2  dependency:32 weight:8
 *     RST_STREAM    3  code:32
 *     SETTINGS      4  *( identifier:16 value:32 )                                        flag ACK
 *     PUSH_PROMISE  5  (never asked for, never sent)
 *     PING          6  data:64                                                            flag ACK
 *     GOAWAY        7  last-stream:32 code:32 debug-data
 *     WINDOW_UPDATE 8  increment:32
 *     CONTINUATION  9  block-fragment                                                     flag END_HEADERS
 */

export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const

export const flag = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 0x20 } as const

/** RFC 9113 section 7. */
export const errorCode = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  connectError: 10,
  enhanceYourCalm: 11,
  inadequateSecurity: 12,
  http11Required: 13,
} as const

const codeNames = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
]

/** `PROTOCOL_ERROR`, or the number of a code that nobody registered. */
export function codeName(code: number): string {
  return codeNames[code] ?? `error ${code}`
}

export const frameHeaderSize = 9
/** The largest payload before the peer says that it takes more (section 4.2). */
export const smallestFrameSize = 16_384
export const largestFrameSize = 16_777_215
/** Windows before anybody says otherwise (section 6.9.2). */
export const initialWindow = 65_535
export const largestWindow = 0x7fff_ffff
export const largestId = 0x7fff_ffff

/** What a client sends first (section 3.4). */
export const clientPreface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')

/** Writes a frame's header at `at`; returns where the payload begins. */
export function putFrameHeader(
  bytes: Buffer,
  at: number,
  length: number,
  type: number,
  flags: number,
  id: number,
): number {
  bytes[at] = length >>> 16
  bytes[at + 1] = length >>> 8
  bytes[at + 2] = length
  bytes[at + 3] = type
  bytes[at + 4] = flags
  return put32(bytes, at + 5, id)
}

/** Writes 32 bits; returns where the next byte goes. */
export function put32(bytes: Buffer, at: number, value: number): number {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
  return at + 4
}

/** 32 bits without sign. */
export function get32(bytes: Buffer, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  )
}

/** 31 bits: ids and increments, whose first bit means nothing. */
export function get31(bytes: Buffer, at: number): number {
  return get32(bytes, at) & 0x7fff_ffff
}
