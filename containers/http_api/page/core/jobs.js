/** What is asked of jobs that exist: cancel, try again, make again, delete results. */

import { Away, Problem, ask } from './api.js'
import * as keep from './keep.js'
import { forgetResults } from './results.js'

/** @import { Item, Options } from './types' */
/** @import { Store } from './store.js' */
/** @import { Service } from './service.js' */

/**
 * @param {Store} store
 * @param {Service} service
 * @param {{ follow: () => void, look: (item: Item) => Promise<void> }} follower
 * @param {(id: string, change: Partial<Item>) => void} note changes an item and keeps it
 */
export function makeJobs(store, service, follower, note) {
  /** @param {string} id @param {string} path @param {object} body @param {Options} [options] those of the new job */
  async function start(id, path, body, options) {
    const { phase, options: before } = store.item(id) ?? {}
    if (phase === 'running') return // pressed twice
    note(id, { phase: 'running', tasks: [], asking: true, trouble: undefined, finding: undefined, ...(options && { options }) })
    try {
      const job = await ask('POST', path, { body })
      note(id, { job: job.id, asking: false })
      follower.follow()
    } catch (error) {
      note(id, { phase, asking: false, options: before, ...(error instanceof Problem && { trouble: error.trouble }) })
      if (error instanceof Away) service.lost()
    }
  }

  return {
    /** @param {Item} item one that runs */
    async cancel(item) {
      try {
        await ask('DELETE', `/jobs/${item.job ?? item.upload}`)
        note(item.id, { phase: 'cancelled' })
      } catch (error) {
        if (error instanceof Away) service.lost()
        else await follower.look(item) // it ended meanwhile
      }
    },

    /** @param {Item} item */
    replay: (item) => start(item.id, `/jobs/${item.job ?? item.upload}/replay`, { force: true }),

    /** @param {string} id @param {Options} options */
    async again(id, options) {
      const { key, product } = store.item(id) ?? {}
      await start(id, '/jobs', { key, product, options, force: true }, options)
    },

    /** @param {string} id Its results; the uploaded photo stays. */
    async deleteResults(id) {
      const item = store.item(id)
      try {
        await ask('DELETE', `/jobs/${item?.job ?? item?.upload}?results=true`)
        forgetResults(item?.results)
        note(id, { phase: 'deleted', results: undefined, record: undefined, made: undefined, cut: undefined, finding: undefined })
        keep.dropBlob(id, 'cut')
      } catch (error) {
        if (error instanceof Away) service.lost()
        else if (error instanceof Problem) note(id, { trouble: error.trouble })
        else throw error
      }
    },
  }
}
