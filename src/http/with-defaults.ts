/** The defaults with those replaced that are given. Connections of one server share the result. */
export function withDefaults<Limits extends object>(
  defaults: Limits,
  given: Partial<Limits> | undefined,
): Limits {
  if (given === undefined) return defaults
  let ofDefaults = completed.get(defaults)
  if (ofDefaults === undefined) completed.set(defaults, (ofDefaults = new WeakMap()))
  const known = ofDefaults.get(given)
  if (known !== undefined) return known as Limits
  const limits = { ...defaults }
  for (const name of Object.keys(defaults) as (keyof Limits)[]) {
    const value = given[name]
    if (value !== undefined) limits[name] = value
  }
  ofDefaults.set(given, limits)
  return limits
}

/** By the defaults, since one object may be given to several engines, and then by what was given. */
const completed = new WeakMap<object, WeakMap<object, object>>()
