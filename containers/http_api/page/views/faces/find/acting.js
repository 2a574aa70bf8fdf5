/** Change a collection: begin an action, follow it, and note on its item what became of it. */

import { Away, ask } from '../../../core/api.js'
import { t } from '../../../core/i18n.js'
import { titleOf } from '../../../parts/trouble.js'
import { troubleOf, unshow } from './asking.js'
import { refresh } from './collections.js'

/** @import { Acting, Page } from '../../../core/types' */

const PAUSE_MS = 1000

/**
 * @param {Page} page @param {string} path of an action that has begun
 * @returns {Promise<any>} its answer, once it has ended; while the service is away, it is waited for
 */
async function ended(page, path) {
  for (;;) {
    try {
      const answer = await ask('GET', path)
      if (!['waiting', 'running'].includes(answer.state)) return answer
    } catch (error) {
      if (!(error instanceof Away)) throw error
      page.queue.heed(error)
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}

/**
 * @param {Page} page @param {string} id an item's @param {Acting} acting what is wanted
 * @param {Record<string, unknown>} body
 */
export async function act(page, id, acting, body) {
  const { collection, kind, person } = acting
  const place = `/collections/${collection}`
  const note = (/** @type {Partial<Acting>} */ change) => page.store.change(id, { acting: { ...acting, ...change } })
  note({})
  try {
    const { action } = await ask('POST', `${place}/${kind === 'enroll' ? 'enrollments' : 'forgettings'}`, { body, key: crypto.randomUUID() })
    const { result, error } = await ended(page, `${place}/actions/${action.id}`)
    if (result) {
      note({ result })
      page.say(t(`${kind}.done`))
    } else {
      const { name = 'JobFailed', message = '', hint = '' } = error ?? {}
      const trouble = { name, title: '', detail: message, hint }
      note({ trouble })
      page.say(titleOf(trouble))
    }
    if (result && kind === 'forget') unshow(page, collection, person)
    refresh(page)
  } catch (error) {
    const trouble = troubleOf(page, error)
    note({ trouble })
    page.say(titleOf(trouble))
  }
}
