/**
 * The contract's one table of named types while it is being declared: names in progress (recursion), names that are
 * met again (the same type, or a conflict), and a budget that ends schemas which never end.
 */
import { sameStructure } from './equal.ts'
import type { Numbers } from './numbers.ts'
import { describePlace, type Place } from './place.ts'
import type { Named } from './type.ts'
import { Undeclarable } from './undeclarable.ts'

/** A named type as read, and whether something inside it needs the schema library at run time. */
export interface Definition {
  readonly named: Named
  readonly refine: boolean
}

export interface Table {
  readonly types: Record<string, Named>
  readonly numbers: Numbers
  /**
   * Defines `name`, unless it is defined or being defined already. `identity` tells the same schema met again from
   * another of the same name, which must then have the same structure. Returns whether it needs the schema library.
   */
  define(name: string, identity: unknown, place: Place, build: () => Definition): boolean
  /** Runs one whole reading; definitions that could not be compared before are compared at its end. */
  reading<T>(read: () => T): T
  /** Counts one slot; refuses a schema that is too deep or too large to ever end. */
  spend(place: Place): void
}

interface Met {
  readonly identity: unknown
  readonly place: Place
  refine: boolean
}

/** More than any message has; a getter that makes a new schema each time reaches it at once. */
const maximumSlots = 20_000
const maximumDepth = 100

const typeName = /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$/

export function createTable(numbers: Numbers): Table {
  const types: Record<string, Named> = {}
  const defined = new Map<string, Met>()
  const inProgress = new Map<string, Met>()
  let deferred: (() => void)[] = []
  let deferredNames = new Set<string>()
  let slots = 0

  function compare(name: string, earlier: Met, place: Place, definition: Definition): void {
    if (sameStructure(types[name], definition.named)) return

    throw new Undeclarable(
      'schema_conflict',
      place,
      `the type ${name} differs from the one of the same name at ${describePlace(earlier.place)}; ` +
        `give one of the two another name with .meta({ id: '…' })`,
    )
  }

  function build(name: string, met: Met, make: () => Definition): Definition {
    const outer = inProgress.get(name)
    inProgress.set(name, met)

    try {
      return make()
    } finally {
      if (outer === undefined) inProgress.delete(name)
      else inProgress.set(name, outer)
    }
  }

  function define(name: string, identity: unknown, place: Place, make: () => Definition): boolean {
    if (!typeName.test(name) || name === '__proto__') {
      throw new Undeclarable(
        'schema_meta',
        place,
        `${JSON.stringify(name)} cannot be a type's name in all documents; ` +
          `name it with .meta({ id: '…' }) of letters, digits and _, with dots between the parts of a package`,
      )
    }

    const current = inProgress.get(name)

    if (current !== undefined) {
      if (current.identity === identity || deferredNames.has(name)) return false

      deferredNames.add(name)
      deferred.push(() => {
        const definition = build(name, { identity, place, refine: false }, make)
        compare(name, current, place, definition)
      })

      return false
    }

    const earlier = defined.get(name)

    if (earlier !== undefined && earlier.identity === identity) return earlier.refine

    const met: Met = { identity, place, refine: false }
    const definition = build(name, met, make)

    if (earlier === undefined) {
      types[name] = definition.named
      met.refine = definition.refine
      defined.set(name, met)
    } else {
      compare(name, earlier, place, definition)
    }

    return definition.refine
  }

  return {
    types,
    numbers,
    define,

    reading(read) {
      slots = 0
      deferred = []
      deferredNames = new Set()

      const result = read()

      for (let next = deferred.shift(); next !== undefined; next = deferred.shift()) next()

      return result
    },

    spend(place) {
      slots++

      if (slots > maximumSlots || place.depth > maximumDepth) throw endless(place)
    },
  }
}

function endless(place: Place): Undeclarable {
  const shown = place.path.length > 60 ? `${place.path.slice(0, 60)}…` : place.path

  return new Undeclarable(
    'schema_recursion',
    { operation: place.operation, path: shown },
    'the schema never ends, since it makes a new schema each time it is asked; ' +
      `use one instance that refers to itself, or name the recursive object with .meta({ id: '…' })`,
  )
}
