/**
 * `rest:` checked by TypeScript: every field that a route names must be a field of the input, and one that fits there.
 *
 * A mistake becomes `{ readonly error: '…' }` with a sentence, because `R & 'some text'` would be `never` and say nothing.
 */
import type { HttpMethod } from './operation.ts'
import type { In, Out } from './standard.ts'

/** A route with all that can be said about it. */
export interface RestOptions {
  /** `POST /orders` */
  readonly route: string
  /** The HTTP status of success, 200 to 299, when it is not 200 (204 without output). */
  readonly status?: number
  /** The `Location` header of the answer, filled from fields of the output: `/orders/{id}`. */
  readonly location?: string
  /** Fields of the input that travel in headers: `{ requestId: 'X-Request-Id' }`. */
  readonly headers?: Readonly<Record<string, string>>
  /** Fields of the input that travel in the query string. GET, HEAD, DELETE and OPTIONS put all the rest there. */
  readonly query?: readonly string[]
  /** The one field of the input that is the whole body. */
  readonly body?: string
}

interface Mistake<Sentence> {
  readonly error: Sentence
}

type Scalar = string | number | bigint | boolean | Date

/** What is wrong with the `{fields}` of a path; `never` when nothing is. */
type ParameterMistake<Path, V, Of extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ?
      | (Name extends keyof V
          ? V[Name] extends Scalar
            ? never
            : `{${Name}} must be a required string, number, bigint, boolean or Date of the ${Of}`
          : `{${Name}} is not a field of the ${Of}`)
      | ParameterMistake<Rest, V, Of>
  : never

type Checked<M> = [M] extends [never] ? unknown : Mistake<M>

type CheckedRoute<R, V> = R extends `${HttpMethod} /${infer Path}`
  ? Checked<ParameterMistake<Path, V, 'input'>>
  : Mistake<"'GET /path' expected (GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS)">

type NotFields<K, V> = Exclude<K, keyof V>

type CheckedFields<K, V> = Checked<
  [NotFields<K, V>] extends [never] ? never : `'${NotFields<K, V> & string}' is not a field of the input`
>

type CheckedOptions<R, I, V> = {
  readonly [K in keyof R]: K extends 'route'
    ? CheckedRoute<R[K], V>
    : K extends 'location'
      ? Checked<ParameterMistake<R[K], I, 'output'>>
      : K extends 'headers'
        ? CheckedFields<keyof R[K], V>
        : K extends 'query'
          ? R[K] extends readonly (infer Name)[]
            ? CheckedFields<Name, V>
            : unknown
          : K extends 'body'
            ? CheckedFields<R[K], V>
            : K extends keyof RestOptions
              ? unknown
              : Mistake<`'${K & string}' is not an option of rest`>
}

/** `unknown` for a route that fits the call's input and output; else a type that no route has, with a sentence in it. */
export type CheckedRest<R, I, O> = R extends string
  ? CheckedRoute<R, In<I>>
  : CheckedOptions<R, Out<O>, In<I>>
