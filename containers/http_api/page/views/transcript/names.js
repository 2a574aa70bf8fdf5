/** The names that were given to a recording's speakers; the service keeps them beside the record. */

import { Problem, ask } from '../../core/api.js'

/** @import { Item } from '../../core/types' */
/** @typedef {Record<string, string>} Names */

const MOST_TRIES = 3 // that somebody else is faster

/** @param {Item} item */
export function makeNames(item) {
  const path = `/jobs/${item.job ?? item.upload}/speakers`
  let version = ''
  /** @type {Promise<unknown>} */
  let turn = Promise.resolve() // one change at a time: each needs the version that the one before it made
  const tagged = (/** @type {string} */ etag) => (version = etag)

  /** @returns {Promise<Names>} as they are now */
  const load = () => ask('GET', path, { tagged })

  /** @param {string} speaker @param {string} name @returns {Promise<Names>} */
  async function replace(speaker, name) {
    for (let tries = 1; ; tries += 1) {
      const body = { ...(await load()), [speaker]: name }
      try {
        return await ask('PUT', path, { body, match: version, tagged })
      } catch (error) {
        if (!(error instanceof Problem && error.status === 412 && tries < MOST_TRIES)) throw error
      }
    }
  }
  return {
    /** @returns {Promise<Names>} none if the service knows no speakers of it */
    load: () =>
      load().catch((error) => {
        if (error instanceof Problem && error.status === 404) return {}
        throw error
      }),
    /** @param {string} speaker @param {string} name '' to take it away @returns {Promise<Names>} all names afterwards */
    give(speaker, name) {
      const mine = turn.then(() => replace(speaker, name))
      turn = mine.catch(() => undefined)
      return mine
    },
  }
}
