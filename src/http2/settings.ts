/**
 * SETTINGS (RFC 9113 section 6.5): what the peer says of itself.
 *
 *     payload = *( identifier:16 value:32 )
 */
import { ConnectionError } from './connection-error.ts'
import {
  errorCode,
  get32,
  initialWindow,
  largestFrameSize,
  largestWindow,
  smallestFrameSize,
} from './frames.ts'

export const setting = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const

export class PeerSettings {
  headerTableSize = 4096
  maxConcurrentStreams = Number.POSITIVE_INFINITY
  initialWindowSize = initialWindow
  maxFrameSize = smallestFrameSize
  /** Advisory. */
  maxHeaderListSize = Number.POSITIVE_INFINITY

  /**
   * Reads a payload, whose settings apply in their order. `fromServer`: it cannot enable push. Throws ConnectionError.
   * `headerTableSize` is left at the least of several, as the table must become, before it is told the last.
   */
  read(
    bytes: Buffer,
    start: number,
    end: number,
    fromServer: boolean,
    tableSize: (size: number) => void,
  ): void {
    if ((end - start) % 6 !== 0) {
      throw new ConnectionError(errorCode.frameSizeError, `SETTINGS of ${end - start} bytes`)
    }
    for (let at = start; at < end; at += 6) {
      const value = get32(bytes, at + 2)
      switch (((bytes[at] as number) << 8) | (bytes[at + 1] as number)) {
        case setting.headerTableSize:
          this.headerTableSize = value
          tableSize(value)
          break
        case setting.enablePush:
          if (value > 1 || (fromServer && value === 1)) throw bad('SETTINGS_ENABLE_PUSH', value)
          break
        case setting.maxConcurrentStreams:
          this.maxConcurrentStreams = value
          break
        case setting.initialWindowSize:
          if (value > largestWindow)
            throw bad('SETTINGS_INITIAL_WINDOW_SIZE', value, errorCode.flowControlError)
          this.initialWindowSize = value
          break
        case setting.maxFrameSize:
          if (value < smallestFrameSize || value > largestFrameSize)
            throw bad('SETTINGS_MAX_FRAME_SIZE', value)
          this.maxFrameSize = value
          break
        case setting.maxHeaderListSize:
          this.maxHeaderListSize = value
          break
        default:
        // Unknown settings are ignored.
      }
    }
  }
}

function bad(name: string, value: number, code: number = errorCode.protocolError): ConnectionError {
  return new ConnectionError(code, `${name} of ${value}`)
}
