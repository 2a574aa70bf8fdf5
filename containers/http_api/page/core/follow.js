/** Follow jobs until they end, and note on their items what became of them. */

import { Away, Problem, ask } from './api.js'
import { dropBlob, keepBlob } from './keep.js'
import { thumbOf } from './pictures.js'
import { fetchResult } from './results.js'

/** @import { Item, Job, Made, ResultFile } from './types' */
/** @import { Store } from './store.js' */
/** @import { Service } from './service.js' */

const MOST_WATCHED = 4 // jobs end about in the order in which they began
const PAUSE_MS = 500

/** @param {ResultFile} record @returns {Promise<Made | undefined>} */
async function readRecord(record) {
  const answer = await fetch(record.url)
  if (!answer.ok) return undefined
  const { options, model, tasks, inspected_at: from, published_at: to, ...more } = await answer.json()
  /** @type {Record<string, number>} */
  const times = {}
  for (const [task, { metrics }] of Object.entries(tasks ?? {})) times[task] = metrics?.task_ms ?? 0
  const total = Date.parse(to) - Date.parse(from) + (times.Inspect ?? 0)
  const { languages, words, remarks, recording } = more
  return { model, refine: options.refine, total, tasks: times, languages, words, remarks, duration: recording?.duration_s }
}

/**
 * @param {Store} store
 * @param {() => Service} service
 * @param {(id: string, change: Partial<Item>) => void} note changes an item and keeps it
 */
export function makeFollower(store, service, note) {
  let following = false

  /** @param {Item} item @param {Job} job */
  async function ended(item, job) {
    const { results, record, error, faces } = job
    if (error?.name === 'JobStopped') return note(item.id, { phase: 'cancelled' })
    if (job.state === 'deleted') return note(item.id, { phase: 'deleted', sent: 1, results: undefined })
    if (error || !results?.length) {
      const { name = 'JobFailed', message = '', hint = '' } = error ?? {}
      const again = job.state === 'failed' || name === 'ResultGone'
      const trouble = { name, title: '', detail: message, hint, id: job.execution ?? job.id, again }
      return note(item.id, { phase: 'refused', sent: 1, trouble })
    }
    const made = record && (await readRecord(record).catch(() => undefined))
    if (store.item(item.id)?.job !== item.job) return // removed or made again
    note(item.id, { phase: 'done', sent: 1, results, record, made: made && { ...made, faces }, product: job.product, trouble: undefined })
    const picture = job.product === 'faces' ? results.find(({ kind }) => kind === 'redacted') : results[0]
    if (!picture?.media_type?.startsWith('image/')) {
      dropBlob(item.id, 'cut') // that of the job before
      return store.change(item.id, { cut: undefined })
    }
    try {
      const thumb = await thumbOf(await fetchResult(picture))
      keepBlob(item.id, 'cut', thumb)
      store.change(item.id, { cut: URL.createObjectURL(thumb) })
    } catch {
      // the photo's thumbnail stays; opening the item says what is wrong
    }
  }

  /** @param {Item} item @param {number} [wait] seconds @returns {Promise<void>} */
  async function look(item, wait) {
    try {
      /** @type {Job} */
      const job = await ask('GET', `/jobs/${item.job ?? item.upload}`, { wait })
      const now = store.item(item.id)
      if (now?.phase !== item.phase || now.job !== item.job) return
      if (job.state === 'waiting' || job.state === 'expired') return note(item.id, { phase: 'waiting', sent: 0 })
      const first = job.state === 'duplicate' && !job.results && !job.error // the first one runs still
      if (job.state !== 'running' && !first) return await ended(item, job)
      if (item.phase !== 'running') note(item.id, { phase: 'running', sent: 1, tasks: [] })
      else if (job.product && job.product !== item.product) note(item.id, { product: job.product }) // the content decides
      else if (job.tasks && JSON.stringify(job.tasks) !== JSON.stringify(item.tasks)) {
        store.change(item.id, { tasks: job.tasks })
      }
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      if (error.status === 429) return service().limit(error)
      note(item.id, { phase: 'refused', trouble: error.trouble })
    }
  }

  /** Look after all running jobs until none is left. */
  async function follow() {
    if (following) return
    following = true
    try {
      for (;;) {
        const running = store.state.items.filter((each) => each.phase === 'running' && !each.asking).reverse()
        if (!running.length || service().waits) return
        const watched = running.slice(0, MOST_WATCHED)
        const open = running.find((each) => each.id === store.state.current)
        if (open && !watched.includes(open)) watched.push(open)
        for (const item of watched) await look(item, running.length === 1 ? 1 : 0)
        if (running.length > 1) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
      }
    } catch (error) {
      if (!(error instanceof Away)) throw error
      service().lost()
    } finally {
      following = false
    }
  }

  return { follow, look }
}
