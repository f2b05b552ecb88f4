/** Wires that listen for themselves, such as calls over a queue: started by URL, drained with the server. */
import type { Host, Served, Wire } from '../wires/wire.ts'

/** Starts them all; if one fails, those that were started are closed again. */
export async function listenElsewhere(
  urls: readonly string[],
  wires: readonly Wire[],
  host: Host,
): Promise<readonly Served[]> {
  const served: Served[] = []
  try {
    for (const text of urls) served.push(await listenTo(new URL(text), wires, host))
    return served
  } catch (error) {
    await endAll(served, 0)
    throw error
  }
}

function listenTo(url: URL, wires: readonly Wire[], host: Host): Promise<Served> {
  const scheme = url.protocol.slice(0, -1)
  const wire = wires.find(({ schemes, server }) => server?.over === 'own' && schemes.includes(scheme))
  if (wire?.server?.over !== 'own') {
    throw new TypeError(`serve: no wire listens to ${url.href}; pass it in wires, beside those on the port`)
  }
  return wire.server.listen(url, host)
}

/** Drains them, and closes those that are not done after `grace` milliseconds. */
export async function endAll(all: readonly Served[], grace: number): Promise<void> {
  await Promise.all(all.map((served) => end(served, grace)))
}

function end(served: Served, grace: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => served.close(), grace)
    served.onClose(() => {
      clearTimeout(timer)
      resolve()
    })
    served.drain()
  })
}
