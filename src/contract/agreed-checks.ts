import type { Check, Type } from '../schema/type.ts'

/**
 * The checks that two peers must agree on. The pattern of a format is none of them: releases of one schema library write
 * the same format in different patterns.
 */
export function agreedChecks(type: Type): readonly Check[] {
  const checks = 'checks' in type ? (type.checks ?? []) : []
  const hasFormat = type.kind === 'string' && type.format !== undefined
  return hasFormat ? checks.filter(({ check }) => check !== 'pattern') : checks
}
