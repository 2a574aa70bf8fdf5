/** The files of faces, as the service published them. */

import { resultOf } from '../../core/results.js'

/** @import { Item, Page, ResultFile } from '../../core/types' */

/** @param {Item} item @param {Page} page @param {ResultFile} result @returns {Promise<File>} */
export const fileOf = async (item, page, { kind, name, media_type: type }) =>
  new File([await resultOf(page.store, item, kind)], name, { type })

/** @param {Item} item @returns {ResultFile[]} those that the page hands out: vectors identify people, and stay where they are */
export const given = ({ results = [] }) => results.filter(({ kind }) => kind !== 'embeddings' && kind !== 'embedded')

/** @param {Item} item @param {Page} page @returns {Promise<File[]>} */
export const allOf = (item, page) => Promise.all(given(item).map((each) => fileOf(item, page, each)))
