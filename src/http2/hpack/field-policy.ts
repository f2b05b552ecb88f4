/**
 * How a field is sent when no table has it, by name.
 *
 * - `never`: a secret. A literal that is not put into a table, here or on any hop (RFC 7541 sections 6.2.3
 *   and 7.1.3): whoever can have fields of his own sent on the connection could guess it from the compressed
 *   length.
 * - `plain`: a value that is hardly sent twice. A literal; putting it into the table would push out what
 *   comes again.
 * - `learned`: everything else. Put into the table when the value comes the second time.
 */
export type FieldPolicy = 'never' | 'plain' | 'learned'

const secrets = ['authorization', 'cookie', 'proxy-authorization', 'set-cookie']

const unique = [
  'age',
  'content-length',
  'content-range',
  'date',
  'etag',
  'expires',
  'grpc-message',
  'grpc-status-details-bin',
  'grpc-timeout',
  'idempotency-key',
  'if-modified-since',
  'if-none-match',
  'if-unmodified-since',
  'last-modified',
  'range',
  'traceparent',
  'tracestate',
  'x-request-id',
]

const usual = policiesOf(secrets, unique)

/** The policies of the names that have one of their own; names in lower case. */
export function fieldPolicies(
  never: readonly string[],
  plain: readonly string[],
): ReadonlyMap<string, FieldPolicy> {
  return never.length === 0 && plain.length === 0
    ? usual
    : policiesOf([...secrets, ...never], [...unique, ...plain])
}

function policiesOf(never: readonly string[], plain: readonly string[]): ReadonlyMap<string, FieldPolicy> {
  const policies = new Map<string, FieldPolicy>()
  for (const name of plain) policies.set(name, 'plain')
  for (const name of never) policies.set(name, 'never')
  return policies
}
