/** The files of faces, as the service published them. */

import { resultOf } from '../../core/results.js'

/** @import { Item, Page, ResultFile } from '../../core/types' */

/** @param {Item} item @param {Page} page @param {ResultFile} result @returns {Promise<File>} */
export const fileOf = async (item, page, { kind, name, media_type: type }) =>
  new File([await resultOf(page.store, item, kind)], name, { type })

/** @param {Item} item @param {Page} page @returns {Promise<File[]>} */
export const allOf = (item, page) => Promise.all((item.results ?? []).map((each) => fileOf(item, page, each)))
