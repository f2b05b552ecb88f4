/** The defaults with those replaced that are given. Connections of one server share the result. */
export function withDefaults<Limits extends object>(
  defaults: Limits,
  given: Partial<Limits> | undefined,
): Limits {
  if (given === undefined) return defaults
  const known = completed.get(given)
  if (known !== undefined) return known as Limits
  const limits = { ...defaults }
  for (const name of Object.keys(defaults) as (keyof Limits)[]) {
    const value = given[name]
    if (value !== undefined) limits[name] = value
  }
  completed.set(given, limits)
  return limits
}

const completed = new WeakMap<object, object>()
