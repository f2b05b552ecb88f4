/**
 * How names become names of another convention. All documents and codecs use these, so that `.proto`, ProtoJSON and
 * OpenAPI agree with each other.
 */
import type { Field, Variant } from './type.ts'

/** `unitPrice`, `unit-price`, `HTTPStatus2` → `['unit', 'price']`, `['unit', 'price']`, `['HTTP', 'Status2']` */
function words(name: string): string[] {
  return name
    .replace(/([\p{Ll}\d])(\p{Lu})/gu, '$1 $2')
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
}

/** `unit-price` → `UnitPrice` */
export function pascalCase(name: string): string {
  return words(name)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')
}

/** `unitPrice` → `unit_price`; a leading digit gets an underscore before it: `2fa` → `_2fa`. */
export function snakeCase(name: string): string {
  return digitsLater(words(name).join('_').toLowerCase())
}

/** `in-transit` → `IN_TRANSIT`; a leading digit gets an underscore before it: `2xl` → `_2XL`. */
export function upperSnakeCase(name: string): string {
  return digitsLater(words(name).join('_').toUpperCase())
}

function digitsLater(name: string): string {
  return /^\d/.test(name) ? `_${name}` : name
}

/** protobuf's own rule for JSON names: `unit_price` → `unitPrice`. */
export function lowerCamelCase(name: string): string {
  return name.replace(/_+(.?)/g, (_, letter: string) => letter.toUpperCase())
}

/** A field's name in .proto: as declared by `.meta({ proto })`, else the snake_case of its name. */
export function protoName(field: Pick<Field, 'name' | 'proto'>): string {
  return field.proto ?? snakeCase(field.name)
}

/** The `oneof` of every union. */
export const oneofName = 'kind'

/**
 * A variant's name in .proto: as declared by `.meta({ proto })`, else the snake_case of its tag, or made of its number
 * where that is no name.
 */
export function variantName({ tag, number, proto }: Pick<Variant, 'tag' | 'number' | 'proto'>): string {
  if (proto !== undefined) return proto
  const name = typeof tag === 'string' ? snakeCase(tag) : snakeCase(`variant_${tag}`)
  return /^[A-Za-z_]\w*$/.test(name) && name !== oneofName ? name : `variant_${number}`
}

/** A variant's name in ProtoJSON: as declared by `.meta({ json })`, else lowerCamelCase of the name in .proto. */
export function protoJsonVariantName(variant: Pick<Variant, 'tag' | 'number' | 'proto' | 'json'>): string {
  return variant.json ?? lowerCamelCase(variantName(variant))
}

/** A field's name in our JSON. */
export function jsonName(field: Pick<Field, 'name' | 'json'>): string {
  return field.json ?? field.name
}

/** A field's name in ProtoJSON: as declared by `.meta({ json })`, else lowerCamelCase of the name in .proto. */
export function protoJsonName(field: Pick<Field, 'name' | 'proto' | 'json'>): string {
  return field.json ?? lowerCamelCase(protoName(field))
}
