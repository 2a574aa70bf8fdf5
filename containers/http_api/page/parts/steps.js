/** How far a running job is, in the steps of its product's view. */

import { viewOf } from '../views/index.js'

/** @import { Item } from '../core/types' */

/** @param {Item} item @returns the current step, how many are finished, and all steps */
export function stepOf(item) {
  const { steps } = viewOf(item)
  const begun = new Set(item.tasks?.map((each) => each.task))
  const index = steps.findLastIndex(({ states }) => states.some((state) => begun.has(state)))
  return { steps, index: Math.max(0, index), now: steps[index] }
}

/** @param {Item} item @param {string[]} states @returns {number} how long its states took, in ms */
export const spent = (item, states) =>
  (item.tasks ?? []).filter((each) => states.includes(each.task)).reduce((sum, { ms }) => sum + (ms ?? 0), 0)
