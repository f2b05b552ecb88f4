/**
 * The peer broke the protocol: the connection ends, and the message says what was wrong, so it must read as a reason
 * in the peer's log as well as in ours.
 */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
}
