/** Which faces of a photo have vectors: a small or unclear one has none. */

import { Problem } from '../../../core/api.js'
import { resultOf } from '../../../core/results.js'
import { useEffect, useState } from '../../../vendor/htm-preact.js'
import { jobOf } from './asking.js'

/** @import { Item, Page } from '../../../core/types' */

/** @param {Item} item @returns {boolean} whether vectors were made */
export const embedded = ({ results }) => Boolean(results?.some(({ kind }) => kind === 'embedded'))

/** @param {string} json @returns {number[]} places of faces */
const readable = (json) =>
  JSON.parse(json).faces
    .filter((/** @type {{ face: number | null, row: number | null }} */ { face, row }) => face !== null && row !== null)
    .map((/** @type {{ face: number }} */ { face }) => face)
    .sort((/** @type {number} */ a, /** @type {number} */ b) => a - b)

/** @param {Item} item @param {Page} page @returns {number[]} the places of those that have one, once they are known */
export function useVectors(item, page) {
  const wanted = embedded(item) ? `${item.id} ${jobOf(item)}` : ''
  const [got, setGot] = useState({ of: '', faces: /** @type {number[]} */ ([]) })
  useEffect(() => {
    if (!wanted || page.store.state.away) return
    resultOf(page.store, item, 'embedded').then((blob) => blob.text()).then(readable).then(
      (faces) => setGot({ of: wanted, faces }),
      (error) => {
        if (!(error instanceof Problem)) page.queue.probe() // without them, nothing can be added
      },
    )
  }, [wanted, Boolean(page.store.state.away)])
  return got.of === wanted ? got.faces : []
}
