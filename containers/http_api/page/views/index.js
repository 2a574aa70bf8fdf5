/** A view for each product, which the record of a file names; and what it says of the file's state. */

import { t } from '../core/i18n.js'
import cutout from './cutout/view.js'
import faces from './faces/view.js'
import transcript from './transcript/view.js'

/** @import { Item, Mode, Page, View } from '../core/types' */

/** @type {Record<string, View>} */
const VIEWS = { cutout, faces, transcript }

/** @param {Item} item @returns {View} */
export const viewOf = (item) => VIEWS[item.product ?? ''] ?? cutout

/** @param {Item} item @param {Page} page @returns {Mode[]} those that the deployment and the item's state offer */
export const modesOf = (item, page) =>
  viewOf(item).modes.filter(({ offered }) => (offered ? offered(item, page) : item.phase === 'done'))

/** @param {Item} item @param {Page} page @returns {Mode | undefined} the one that the stage is in */
export function modeOf(item, page) {
  const modes = modesOf(item, page)
  return modes.find((each) => each.id === page.store.state.mode) ?? (item.phase === 'done' ? modes.find((each) => each.usual) ?? modes[0] : undefined)
}

/** @param {Item} item @returns all steps, which of them is the current one, and what share of the work is done */
export function stepOf(item) {
  const steps = viewOf(item).steps.filter(({ when }) => !when || when(item))
  const begun = new Set(item.tasks?.map((each) => each.task))
  const index = Math.max(0, steps.findLastIndex(({ states }) => states.some((state) => begun.has(state))))
  const { states } = steps[index]
  const { done = 0, parts = 0 } = item.tasks?.find((each) => each.parts && states.includes(each.task)) ?? {}
  const text = !begun.size ? t('starting') : t(`now.${steps[index].id}`) + (parts ? ` · ${done}/${parts}` : '')
  return { steps, index, text, share: (index + (parts && done / parts)) / steps.length }
}

/** @param {Item} item @param {string[]} states @returns {number} how long its states took, in ms */
export const spent = (item, states) =>
  (item.tasks ?? []).filter((each) => states.includes(each.task)).reduce((sum, { ms }) => sum + (ms ?? 0), 0)
