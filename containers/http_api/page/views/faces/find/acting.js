/** Change a collection: begin an action, follow it, and note on its item what became of it. */

import { Away, ask } from '../../../core/api.js'
import { day, t } from '../../../core/i18n.js'
import { titleOf } from '../../../parts/trouble.js'
import { troubleOf, unshow } from './asking.js'
import { refresh } from './collections.js'

/** @import { Acting, Page } from '../../../core/types' */

const PAUSE_MS = 1000

/** @param {Acting} acting @returns {string} what became of it */
export function outcome({ kind, result = {} }) {
  const { enrolled = 0, known = 0, forgotten = 0, erased_by } = result
  if (kind === 'forget') return forgotten && erased_by ? t('forgotten', { n: forgotten, date: day(erased_by) }) : t('forgotten.none')
  return t(enrolled ? 'enrolled.n' : known ? 'enrolled.known' : 'enrolled.none', { n: enrolled })
}

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
  page.say(t(`${kind}.now`))
  try {
    const { action } = await ask('POST', `${place}/${kind === 'enroll' ? 'enrollments' : 'forgettings'}`, { body, key: crypto.randomUUID() })
    const { result, error } = await ended(page, `${place}/actions/${action.id}`)
    if (result) {
      note({ result })
      page.say(outcome({ ...acting, result }))
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
