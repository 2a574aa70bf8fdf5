/** The collections that the user may search. They are asked for where faces are shown or chosen. */

import { Problem, ask } from '../../../core/api.js'
import { chosenOf } from '../../../core/settings.js'
import { useEffect } from '../../../vendor/htm-preact.js'

/** @import { Collection, Page } from '../../../core/types' */

const MOST_TRIES = 3

/** @type {Promise<void> | undefined} */
let asked

/** @param {number} [left] tries @returns {Promise<Collection[]>} none, where the service has no collections */
async function list(left = MOST_TRIES) {
  try {
    const { items } = await ask('GET', '/collections')
    return items.filter((/** @type {Collection} */ { may }) => may.includes('search'))
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    if (error.status !== 503 || left === 1) return []
    await new Promise((resolve) => setTimeout(resolve, Math.max(1, error.wait) * 1000))
    return list(left - 1)
  }
}

/** @param {Page} page @returns {Promise<void>} once they are known anew, or the service is away */
export function refresh({ store }) {
  asked ??= list()
    .then((collections) => store.set({ collections }), () => {})
    .finally(() => (asked = undefined))
  return asked
}

/** @param {Page} page @param {boolean} [wanted] @returns {Collection | undefined} the one that is chosen, if there is one */
export function useCollections(page, wanted = true) {
  const { collections, away } = page.store.state
  const waits = !wanted || collections || away
  useEffect(() => {
    if (!waits) refresh(page)
  }, [Boolean(waits)])
  return chosenOf(page.store.state)
}
