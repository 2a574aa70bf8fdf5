/** Which face the user looks at: in the picture and in the list it is the same one. */

import { styled } from '../../parts/controls.js'

/** @import { Item, Looking, Page } from '../../core/types' */

await Promise.all(['css/faces.css', 'css/confirm.css'].map(styled))

/** @param {Page} page @param {string} id an item's @param {Looking} change */
export function look({ store }, id, change) {
  store.change(id, { looking: { ...store.item(id)?.looking, ...change } })
}

/** @param {Page} page @param {string} id an item's @param {number | undefined} place Hold a face, or let it go if it is held. */
export function hold(page, id, place) {
  const { held } = page.store.item(id)?.looking ?? {}
  look(page, id, { held: held === place ? undefined : place, seen: undefined })
}

/** @param {Item} item @returns {number | undefined} the place of the face that is shown */
export const current = ({ looking }) => looking?.seen ?? looking?.held
