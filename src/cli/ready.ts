/** What a server that listens has to say. */
export interface Ready {
  readonly contracts: readonly string[]
  readonly authority: string
  readonly wires: readonly string[]
  readonly adminPorts: readonly number[]
  readonly secure: boolean
}

/** `trunkline: serving acme.orders.v1 on 127.0.0.1:7000 (trunk, rest)` */
export function readyLine({ contracts, authority, wires, adminPorts, secure }: Ready, workers = 1): string {
  const notes = [
    wires.join(', '),
    ...(secure ? ['TLS'] : []),
    ...(workers > 1 ? [`${workers} workers`] : []),
    ...(adminPorts.length > 0
      ? [`admin on ${adminPorts.map((port) => `127.0.0.1:${port}`).join(', ')}`]
      : []),
  ]

  return `trunkline: serving ${contracts.join(', ')} on ${authority} (${notes.join('; ')})`
}
