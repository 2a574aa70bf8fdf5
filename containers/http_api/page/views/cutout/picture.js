/** A cut-out's picture, and how it is shown. */

import { resultOf } from '../../core/results.js'
import { useBlob } from '../../parts/controls.js'

/** @import { Item, Look, Page, Settings } from '../../core/types' */

/** @param {Item} item @param {Settings} settings @returns {Look} */
export const lookOf = (item, settings) =>
  item.look ?? { background: settings.background, trim: false, margin: 0, size: 0, format: 'png' }

/** @param {Item} item @param {Page} page */
export const useResult = (item, page) =>
  useBlob(() => resultOf(page.store, item), [item.id, item.results?.[0].url.split('?')[0], item.made])
