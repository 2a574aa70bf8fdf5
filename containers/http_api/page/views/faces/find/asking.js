/** Ask a collection who a photo's faces are similar to. The answer is in memory alone, and goes with the page. */

import { Away, Problem, ask } from '../../../core/api.js'
import { t } from '../../../core/i18n.js'
import { titleOf } from '../../../parts/trouble.js'
import { refresh } from './collections.js'
import { hundredths } from './words.js'

/** @import { Finding, Item, Page, Searched, Trouble } from '../../../core/types' */

/** @param {Item} item @returns {string | undefined} */
export const jobOf = ({ job, upload }) => job ?? upload

/** @param {Page} page @param {unknown} error @returns {Trouble} what to say of it */
export function troubleOf(page, error) {
  if (!(error instanceof Problem || error instanceof Away)) throw error
  page.queue.heed(error)
  if (error instanceof Away) return { name: 'CollectionAway', title: '', detail: '', hint: '' }
  if (error.trouble.name === 'collectionmissing') refresh(page)
  return error.trouble
}

/** @param {Item} item @param {string} [collection] @returns {Finding | undefined} what was found of the faces that are shown */
export const findingOf = (item, collection) =>
  item.finding?.job === jobOf(item) && item.finding?.collection === collection ? item.finding : undefined

/** @param {Finding} [finding] @returns {boolean} whether it is being answered */
export const isAsked = (finding) => Boolean(finding && !finding.answer && !finding.trouble)

/** @param {Page} page @param {Item} item @param {string} collection Nothing is asked twice at once: each search is written down. */
export async function search(page, item, collection) {
  const { store } = page
  if (isAsked(findingOf(store.item(item.id) ?? item, collection))) return
  /** @type {Finding} */
  const mine = { collection, job: jobOf(item) }
  const note = (/** @type {Partial<Finding>} */ change) =>
    store.item(item.id)?.finding === mine && store.change(item.id, { finding: { ...mine, ...change } })
  store.change(item.id, { finding: mine })
  try {
    /** @type {Searched} */
    const answer = await ask('POST', `/collections/${collection}/searches`, { body: { job_id: mine.job } })
    for (const { matches } of answer.queries) matches.sort((a, b) => b.similarity - a.similarity)
    note({ answer, least: hundredths(answer.threshold) })
    page.say(t('candidates.n', { n: answer.queries.reduce((sum, { matches }) => sum + matches.length, 0) }))
  } catch (error) {
    const trouble = troubleOf(page, error)
    note({ trouble })
    page.say(titleOf(trouble))
  }
}

/** @param {Page} page @param {string} collection @param {string} person Show nobody who was forgotten. */
export function unshow({ store }, collection, person) {
  for (const { id, finding } of store.state.items) {
    if (finding?.collection !== collection || !finding.answer) continue
    const queries = finding.answer.queries.map((each) => ({ ...each, matches: each.matches.filter((one) => one.person !== person) }))
    store.change(id, { finding: { ...finding, answer: { ...finding.answer, queries } } })
  }
}
