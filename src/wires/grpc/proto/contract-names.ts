/** What a service and its methods are called in a contract. */
import { defaultGrpcService } from '../../../contract/names.ts'
import { lowerCamelCase, pascalCase, snakeCase } from '../../../schema/names.ts'

const version = /^v(?:0|[1-9]\d*)(?:(?:alpha|beta)[1-9]\d*)?$/
const longest = 64

/** Names that every JavaScript object has, or that make a client what it is not. */
const taken: ReadonlySet<string> = new Set([
  'then',
  'toJSON',
  'prototype',
  ...Object.getOwnPropertyNames(Object.prototype),
])

/**
 * `acme.orders.v1.Orders` → `acme.orders.v1`, since that is what the contract of this name is called on gRPC by itself;
 * `acme.orders.v1.Refunds` → `acme.orders.refunds.v1`.
 */
export function contractNameOf(service: string): string {
  const parts = service.split('.')
  const local = parts.pop() ?? ''
  const segments = parts.map(segmentOf)
  const whole = segments.join('.')
  if (whole !== '' && reservedFirst !== segments[0] && defaultGrpcService(whole) === service) return whole

  const last = segments.at(-1) ?? ''
  const own = segmentOf(local)
  const named = version.test(last) ? [...segments.slice(0, -1), own, last] : [...segments, own]
  if (named[0] === reservedFirst) named[0] = `${reservedFirst}_`
  return named.join('.')
}

const reservedFirst = 'trunkline'

function segmentOf(part: string): string {
  const lower = snakeCase(part).replace(/^[^a-z]+/, '')
  const named = lower === '' ? 'x' : lower
  return /^v\d/.test(named) && !version.test(named) ? `x${named}` : named
}

/** `PlaceOrder` → `placeOrder`; one that no client can have gets `Call` behind it. */
export function operationNameOf(method: string, used: ReadonlySet<string>): string {
  const camel = lowerFirst(lowerCamelCase(method).replace(/^_+/, ''))
  const fitting = /^[A-Za-z]/.test(camel) ? camel.slice(0, longest) : `call${camel}`.slice(0, longest)
  let name = taken.has(fitting) ? `${fitting}Call` : fitting
  for (let count = 2; used.has(name); count += 1) name = `${fitting.slice(0, longest - 3)}${count}`
  return name
}

/** `HTTPGet` → `httpGet`, `GetOrder` → `getOrder`, `IAM` → `iam`. */
function lowerFirst(name: string): string {
  return name.replace(/^[A-Z]+(?=[A-Z][a-z])|^[A-Z]+(?![a-z])|^[A-Z]/, (head) => head.toLowerCase())
}

/** Whether the contract finds the method's name by itself. */
export function isOwnMethodName(operation: string, method: string): boolean {
  return pascalCase(operation) === method
}

/** `acme.orders.v1.Order.Line` in `acme.orders.v1` → `Order.Line`; of other packages the whole name. */
export function typeNameOf(name: string, ofPackage: string, servicePackage: string): string {
  return ofPackage === servicePackage && servicePackage !== '' ? name.slice(servicePackage.length + 1) : name
}
