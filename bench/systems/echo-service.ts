// The reference work as a module for `trunkline serve`.

import { implement } from '../../src/index.ts'
import { Echo, handlers } from './echo-contract.ts'

export const echo = implement(Echo, handlers)
