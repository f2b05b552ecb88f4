/** How a serving process is told to end. */

const signals = ['SIGINT', 'SIGTERM'] as const

/** Exit codes of shells for processes that a signal ended: 128 and the signal's number. */
const endedBy = { SIGINT: 130, SIGTERM: 143 } as const

/**
 * Resolves at the first SIGINT or SIGTERM, or when the Node process that forked this one is gone. The next signal ends
 * the process at once.
 */
export function untilToldToEnd(atOnce: () => void = () => {}): Promise<void> {
  return new Promise((resolve) => {
    let told = false

    for (const signal of signals) {
      process.on(signal, () => {
        if (told) {
          atOnce()
          process.exit(endedBy[signal])
        }
        told = true
        resolve()
      })
    }

    if (process.connected) {
      process.once('disconnect', () => {
        told = true
        resolve()
      })
    }
  })
}
