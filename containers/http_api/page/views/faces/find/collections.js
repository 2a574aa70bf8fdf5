/** The collections that the user may search. They are asked for where faces are shown or chosen. */

import { Problem, ask } from '../../../core/api.js'
import { chosenOf } from '../../../core/settings.js'
import { useEffect } from '../../../vendor/htm-preact.js'

/** @import { Collection, Page } from '../../../core/types' */

/** @type {Promise<void> | undefined} */
let asked

/** @param {Page} page @returns {Promise<void>} once they are known anew; none, where the service has no collections */
export function refresh({ store }) {
  asked ??= ask('GET', '/collections')
    .then(({ items }) => items.filter((/** @type {Collection} */ { may }) => may.includes('search')))
    .catch((error) => (error instanceof Problem ? [] : store.state.collections)) // if it is away, they are asked for later
    .then((collections) => {
      asked = undefined
      store.set({ collections })
    })
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
