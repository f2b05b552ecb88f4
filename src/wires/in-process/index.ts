/**
 * Calls within one process: `connect(Orders, server)`. No bytes travel, but every value goes through the protobuf codec
 * both ways, so that defaults, validation and independence of the two sides' objects are those of every other wire.
 */
import type { Host, Wire } from '../wire.ts'
import { InProcessChannel } from './channel.ts'

/** The wire to one server of this process. */
export function inProcess(host: Host): Wire {
  return {
    name: 'in-process',
    schemes: [],
    needsNumbers: false,
    supports: () => true,
    client: {
      over: 'own',
      dial: async (_url, options) => new InProcessChannel(host, options),
    },
  }
}
