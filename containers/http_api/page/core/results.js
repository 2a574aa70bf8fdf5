/** Get results; an address that ran out is replaced by a new one, unasked. */

import { Problem, ask } from './api.js'

/** @import { Item, ResultFile } from './types' */
/** @import { Store } from './store.js' */

const MOST_KEPT = 8
const MOST_BYTES = 1e8 // a larger result is fetched each time
/** @type {Map<string, Promise<Blob>>} results by address, latest last */
const kept = new Map()

/** @param {ResultFile} result @returns {Promise<Blob>} */
export function fetchResult({ url, bytes = 0 }) {
  if (bytes > MOST_BYTES) return download(url)
  const found = kept.get(url) ?? download(url)
  kept.delete(url)
  kept.set(url, found)
  found.catch(() => kept.delete(url))
  if (kept.size > MOST_KEPT) kept.delete(/** @type {string} */ (kept.keys().next().value))
  return found
}

/** @param {ResultFile[]} [results] that were deleted */
export function forgetResults(results = []) {
  for (const { url } of results) kept.delete(url)
}

/** @param {string} url */
async function download(url) {
  const answer = await fetch(url)
  if (!answer.ok) throw new Problem(answer.status, { type: '#ResultGone' })
  return answer.blob()
}

/**
 * @param {Store} store
 * @param {Item} item
 * @param {string} [kind] of the result; without it, the first one
 * @returns {Promise<Blob>} Raises Problem, with a reason, if the result is gone.
 */
export async function resultOf(store, item, kind) {
  /** @param {ResultFile[]} [results] */
  const chosen = (results = []) => fetchResult(results.find((each) => !kind || each.kind === kind) ?? { name: '', url: '', expires_at: '' })
  try {
    return await chosen(item.results)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
  }
  const job = await ask('GET', `/jobs/${item.job ?? item.upload}`)
  if (!job.results) {
    const { name = 'ResultGone', message, hint } = job.error ?? {}
    throw new Problem(410, { type: `#${name}`, detail: message, hint })
  }
  store.change(item.id, { results: job.results, record: job.record })
  return chosen(job.results)
}
