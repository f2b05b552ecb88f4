/** What types are called as constants of a module. */

/** Words and globals that a constant would hide from the module itself. */
const taken: ReadonlySet<string> = new Set([
  ...'Array BigInt Boolean Date Error Function Infinity Map NaN Number Object Promise Proxy Reflect RegExp Set String'.split(
    ' ',
  ),
  ...'Symbol Uint8Array globalThis undefined arguments eval'.split(' '),
  ...'await break case catch class const continue debugger default delete do else enum export extends false'.split(
    ' ',
  ),
  ...'finally for function if implements import in instanceof interface let new null package private protected'.split(
    ' ',
  ),
  ...'public return static super switch this throw true try typeof var void while with yield async of'.split(
    ' ',
  ),
  ...'z lock call contract stream'.split(' '),
])

/** A name for each type: `Order`, `OrderLine` of `Order.Line`, `Status` of `google.rpc.Status` unless that is taken. */
export function constNames(types: Iterable<string>): Map<string, string> {
  const names = new Map<string, string>()
  const used = new Set<string>(taken)
  // The package's own types have their names before others.
  const sorted = [...types].toSorted((one, other) => Number(isForeign(one)) - Number(isForeign(other)))

  for (const type of sorted) {
    const own = partsOf(type)
    const candidates = [own.path.join(''), [...own.package, ...own.path].map(capital).join('')]
    let name = candidates.find((one) => !used.has(one)) ?? `${candidates[0]}Type`
    for (let count = 2; used.has(name); count += 1) name = `${candidates[0]}${count}`
    used.add(name)
    names.set(type, name)
  }
  return names
}

/** Whether a constant cannot be called that. */
export function isTaken(name: string): boolean {
  return taken.has(name)
}

function capital(part: string): string {
  return part.charAt(0).toUpperCase() + part.slice(1)
}

function isForeign(type: string): boolean {
  return partsOf(type).package.length > 0
}

function partsOf(type: string): { readonly package: readonly string[]; readonly path: readonly string[] } {
  const parts = type.split('.')
  const first = parts.findIndex((part) => /^[^a-z]/.test(part))
  const from = first === -1 ? parts.length - 1 : first
  return { package: parts.slice(0, from), path: parts.slice(from) }
}
