/** The commands there are; a new one is a file beside this one and a line here. Each is loaded when it is needed. */
import type { Command } from './command.ts'

const loaders: Readonly<Record<string, () => Promise<{ readonly command: Command }>>> = {
  serve: () => import('./serve.ts'),
  call: () => import('./call.ts'),
  describe: () => import('./describe.ts'),
  lock: () => import('./lock.ts'),
  export: () => import('./export.ts'),
  import: () => import('./import.ts'),
}

export const commandNames: readonly string[] = Object.keys(loaders)

export async function loadCommand(name: string): Promise<Command | undefined> {
  const load = Object.hasOwn(loaders, name) ? loaders[name] : undefined
  return load === undefined ? undefined : (await load()).command
}

export async function allCommands(): Promise<Command[]> {
  return Promise.all(Object.values(loaders).map(async (load) => (await load()).command))
}
