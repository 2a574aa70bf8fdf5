/** A view for each product; the record of a file names its product. */

import cutout from './cutout/view.js'

/** @import { Item, Mode, Page, View } from '../core/types' */

/** @type {Record<string, View>} */
const VIEWS = { cutout }

/** @param {Item} item @returns {View} */
export const viewOf = (item) => VIEWS[item.product ?? ''] ?? cutout

/** @param {Item} item @param {Page} page @returns {Mode[]} those that the deployment and the item's state offer */
export const modesOf = (item, page) =>
  viewOf(item).modes.filter(({ offered }) => (offered ? offered(item, page) : item.phase === 'done'))

/** @param {Item} item @param {Page} page @returns {Mode | undefined} the one that the stage is in */
export function modeOf(item, page) {
  const modes = modesOf(item, page)
  return modes.find((each) => each.id === page.store.state.mode) ?? (item.phase === 'done' ? modes.at(-2) : undefined)
}
