/** Comments of .proto files as documentation: lines that were only broken to fit are joined again. */

/** `undefined` when nothing is left. Notes that are for nobody outside, `(-- … --)`, are left out. */
export function reflow(comment: string | undefined): string | undefined {
  if (comment === undefined) return undefined

  const lines = comment.replace(/\(--[\s\S]*?--\)/g, '').split('\n')
  const joined: string[] = []
  let open = false

  for (const line of lines) {
    const text = line.trimEnd()
    const before = joined.at(-1)
    // Lists, tables, headings and what is indented keep their lines.
    const own = /^(?:\s{2,}|\s*(?:[-*+|#>=]|\d+[.)])|\s*$)/.test(text)

    if (open && !own && before !== undefined) joined[joined.length - 1] = `${before} ${text.trim()}`
    else joined.push(text)
    open = !own
  }

  const text = joined
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
  return text === '' ? undefined : text
}
