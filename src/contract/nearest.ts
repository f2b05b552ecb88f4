/** Which known name a mistyped one most likely meant: an option, an operation, a field, a file. */

/** The known name that a mistyped one most likely meant; `undefined` when none is near. */
export function nearest(typed: string, known: Iterable<string>): string | undefined {
  const lower = typed.toLowerCase()
  let best: string | undefined
  let least = Infinity

  for (const name of known) {
    const candidate = name.toLowerCase()
    const distance = candidate.startsWith(lower) && lower.length > 2 ? 0.5 : editDistance(lower, candidate)
    if (distance < least) {
      least = distance
      best = name
    }
  }

  return least < typed.length && least <= Math.max(1, Math.floor(typed.length / 3)) ? best : undefined
}

/** ` Did you mean 'x'?`, or nothing. */
export function didYouMean(typed: string, known: Iterable<string>): string {
  const name = nearest(typed, known)
  return name === undefined ? '' : ` Did you mean '${name}'?`
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
export function editDistance(left: string, right: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: right.length + 1 }, (_, index) => index)

  for (let row = 1; row <= left.length; row++) {
    const current = [row]

    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1]
      let cost = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + (same ? 0 : 1))
      const swapped =
        row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]
      if (swapped) cost = Math.min(cost, beforeLast[column - 2]! + 1)
      current.push(cost)
    }

    beforeLast = last
    last = current
  }

  return last[right.length]!
}
