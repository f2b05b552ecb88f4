/** What the demo's servers serve: the reference service, which tells the demo of calls that others make. */
import type { ServeOptions } from 'trunkline'
import { tellForeign } from './demo-foreign.ts'

export { orders } from './service.ts'

export const options: ServeOptions = {
  filters: [tellForeign((calls) => process.send?.(calls))],
}
