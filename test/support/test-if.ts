import test from 'node:test'

/** A test of what only some wires can do: for the others there is none, rather than one that is skipped. */
export function testIf(possible: boolean, name: string, run: () => Promise<void>): void {
  if (possible) test(name, run)
}
