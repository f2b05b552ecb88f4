/** Reads tokens one after the other; what the parser's functions share. */
import { ProtoError, type Position } from './error.ts'
import type { Comment, Token, Tokens } from './lexer.ts'

export interface Cursor {
  readonly file: string
  /** The token that comes next, or one behind it. */
  peek(ahead?: number): Token
  take(): Token
  /** Takes the next token if it is this symbol or word. */
  takeIf(text: string): boolean
  /** Takes the next token, which must be this symbol or word. */
  expect(text: string, where: string): Token
  identifier(what: string): Token
  /** `foo.bar`, with a dot in front where that is allowed. */
  name(what: string): { readonly text: string; readonly at: Position }
  string(what: string): string
  /** Strings behind each other, with whether they are bytes. */
  text(what: string): { readonly text: string; readonly binary?: true }
  at(token?: Token): Position
  fail(what: string, hint?: string, token?: Token): never
  /** What is said about the thing that begins at `first`, in front of it or behind `opened` on the same line. */
  docOf(first: Token, opened: Token): string | undefined
}

export function cursorOf({ file, tokens, positionOf }: Tokens): Cursor {
  let index = 0
  const last = tokens.length - 1

  const peek = (ahead = 0): Token => tokens[Math.min(index + ahead, last)] as Token
  const is = (token: Token, text: string): boolean =>
    token.text === text && (token.kind === 'symbol' || token.kind === 'identifier')

  function take(): Token {
    const token = peek()
    if (index < last) index += 1
    return token
  }

  function fail(what: string, hint?: string, token = peek()): never {
    throw new ProtoError(file, positionOf(token.start), what, hint)
  }

  function identifier(what: string): Token {
    const token = peek()
    if (token.kind !== 'identifier') fail(`expected ${what}, found ${shown(token)}`)
    return take()
  }

  function text(what: string): { text: string; binary?: true } {
    if (peek().kind !== 'string') fail(`expected ${what} in quotes, found ${shown(peek())}`)
    const parts: Token[] = []
    while (peek().kind === 'string') parts.push(take())

    if (parts.every((part) => part.binary !== true)) return { text: parts.map((part) => part.text).join('') }
    const bytes = parts.map((part) => Buffer.from(part.text, part.binary === true ? 'latin1' : 'utf8'))
    return { text: Buffer.concat(bytes).toString('latin1'), binary: true }
  }

  return {
    file,
    peek,
    take,
    takeIf(text) {
      const found = is(peek(), text)
      if (found) take()
      return found
    },
    expect(text, where) {
      if (!is(peek(), text)) fail(`expected '${text}' ${where}, found ${shown(peek())}`)
      return take()
    },
    identifier,
    name(what) {
      const at = positionOf(peek().start)
      let text = ''
      if (is(peek(), '.')) text = take().text
      text += identifier(what).text
      while (is(peek(), '.')) text += take().text + identifier(`the rest of ${what}`).text
      return { text, at }
    },
    string: (what) => text(what).text,
    text,
    at: (token = peek()) => positionOf(token.start),
    fail,
    docOf(first, opened) {
      const leading = blocksOf(first.comments).at(-1)
      const firstLine = positionOf(first.start).line
      const before = previous(first)
      const isOwn =
        leading !== undefined &&
        leading.lastLine >= firstLine - 1 &&
        (before === undefined || positionOf(before.end - 1).line !== leading.firstLine)
      if (isOwn) return leading.text

      // Behind it on its line, unless the next thing stands there too.
      const next = following(opened)
      const trailing = next === undefined ? undefined : blocksOf(next.comments)[0]
      const endLine = positionOf(opened.end - 1).line
      return trailing !== undefined && trailing.firstLine === endLine ? trailing.text : undefined
    },
  }

  function indexOf(token: Token): number {
    let at = index
    while (at > 0 && (tokens[at] as Token).start > token.start) at -= 1
    return at
  }

  function previous(token: Token): Token | undefined {
    return tokens[indexOf(token) - 1]
  }

  function following(token: Token): Token | undefined {
    return tokens[indexOf(token) + 1]
  }
}

export function shown(token: Token): string {
  if (token.kind === 'end') return 'the end of the file'
  return token.kind === 'string' ? JSON.stringify(token.text) : `'${token.text}'`
}

interface Block {
  readonly text: string
  readonly firstLine: number
  readonly lastLine: number
}

/** Line comments that stand below each other are one; one behind something else stands alone. */
function blocksOf(comments: readonly Comment[]): Block[] {
  const blocks: Block[] = []
  let open = false

  for (const { text, block, firstLine, lastLine } of comments) {
    const before = blocks.at(-1)
    const from = firstLine + 1
    const to = lastLine + 1

    if (open && !block && before !== undefined && from === before.lastLine + 1) {
      blocks[blocks.length - 1] = {
        text: `${before.text}\n${text}`,
        firstLine: before.firstLine,
        lastLine: to,
      }
    } else {
      blocks.push({ text, firstLine: from, lastLine: to })
    }
    open = !block
  }

  return blocks.map((one) => ({ ...one, text: plain(one.text) })).filter(({ text }) => text !== '')
}

/** Without the indentation that all lines share, and without empty lines around. */
function plain(text: string): string {
  const lines = text.split('\n').map((line) => line.trimEnd())
  const indent = lines
    .filter((line) => line !== '')
    .reduce((least, line) => Math.min(least, line.length - line.trimStart().length), 100)
  const own = lines.map((line) => line.slice(indent))
  return own.join('\n').replace(/^\n+|\n+$/g, '')
}
