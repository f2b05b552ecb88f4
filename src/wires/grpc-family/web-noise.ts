/** Header fields that browsers, proxies and servers add for themselves, and that are no metadata of a call. */
const noise = new Set([
  'accept-charset',
  'accept-language',
  'accept-ranges',
  'age',
  'alt-svc',
  'cache-control',
  'cookie',
  'dnt',
  'from',
  'if-modified-since',
  'if-none-match',
  'max-forwards',
  'origin',
  'pragma',
  'priority',
  'range',
  'referer',
  'upgrade-insecure-requests',
  'vary',
  'warning',
  'x-grpc-web',
  'x-powered-by',
  'x-user-agent',
])

export function isWebNoise(name: string): boolean {
  return noise.has(name) || name.startsWith('sec-') || name.startsWith('access-control-')
}
