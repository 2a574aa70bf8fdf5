/** A view for each product; the record of a file names its product. */

import cutout from './cutout/view.js'

/** @import { Item, View } from '../core/types' */

/** @type {Record<string, View>} */
const VIEWS = { cutout }

/** @param {Item} item @returns {View} */
export const viewOf = (item) => VIEWS[item.product ?? ''] ?? cutout
