/** The file that is downloaded: the result, as its owner wants it. */

import { resultOf } from '../../core/results.js'
import { finish, lookOf } from './finish.js'

/** @import { Item, Page } from '../../core/types' */

/** @param {Item} item @param {Page} page @returns {Promise<File>} */
export async function finished(item, page) {
  const look = lookOf(item, page.store.state.settings)
  const blob = await finish(await resultOf(page.store, item), look)
  const stem = item.name.replace(/\.\w{1,8}$/, '').replace(/[/\\:*?"<>|\p{C}]/gu, '_')
  return new File([blob], `${stem}.${look.format === 'jpeg' ? 'jpg' : look.format}`, { type: blob.type })
}
