/** A photo's selection: prepared on the service, asked about marks, prepared again once it expires. */

import { Away, Problem, ask } from '../../../core/api.js'
import { read } from './mask.js'
import { FRESH, questionsOf } from './marks.js'

/** @import { Answer, Page, Selecting, Selection } from '../../../core/types' */

const MOST_ANSWERS = 60
const WAIT_S = 20
const MOST_WAIT_S = 10 // that a click may wait for the preparation
const MOST_TRIES = 5
const AGAIN = ['modelbusy', 'selectionnotready']
const OVER = ['selectionexpired', 'nosuchselection']

/** @type {Map<string, ReturnType<typeof makeSession>>} */
const sessions = new Map()

/** @param {string} id an item's @param {Page} page */
export function sessionOf(id, page) {
  const found = sessions.get(id) ?? makeSession(id, page)
  sessions.set(id, found)
  return found
}

/** @param {string} id @param {Page} page */
function makeSession(id, { store, queue }) {
  let asking = new AbortController()
  let asked = ''
  /** @type {Promise<Selection> | undefined} */
  let preparing

  /** @param {Partial<Selecting>} change */
  function tell(change) {
    const before = store.item(id)?.selecting ?? { state: 'ready', answers: {} }
    store.change(id, { selecting: { ...before, ...change } })
  }

  /** @returns {Promise<Selection>} the same for all who wait for it */
  function prepared() {
    preparing ??= prepare().catch((error) => {
      preparing = undefined
      throw error
    })
    return preparing
  }

  async function prepare() {
    const { selection: kept, key } = store.item(id) ?? {}
    /** @type {Selection | undefined} */
    let found
    if (kept && Date.parse(kept.expires_at) > Date.now()) found = await look(kept.id)
    if (!found || found.state === 'failed') {
      if (store.item(id)?.selecting?.state !== 'expired') tell({ state: 'preparing' })
      found = /** @type {Selection} */ (await ask('POST', '/selections', { body: { key }, key: crypto.randomUUID() }))
    }
    queue.setSelection(id, { id: found.id, expires_at: found.expires_at })
    while (found?.state === 'preparing') found = await look(found.id)
    if (!found || found.state === 'failed') {
      const { name = 'SelectionFailed', message, hint } = found?.error ?? {}
      throw new Problem(422, { type: `#${name}`, title: name, detail: message, hint })
    }
    queue.setSelection(id, { id: found.id, expires_at: found.expires_at, model: found.model })
    return found
  }

  /** @param {string} name @returns {Promise<Selection | undefined>} none if it is over */
  async function look(name) {
    try {
      return await ask('GET', `/selections/${name}`, { wait: WAIT_S })
    } catch (error) {
      if (error instanceof Problem && OVER.includes(error.trouble.name)) return undefined
      throw error
    }
  }

  /** @param {string} question @param {AbortSignal} signal @returns {Promise<Answer>} */
  async function answer(question, signal) {
    for (let tries = 0; ; tries += 1) {
      const selection = await prepared()
      signal.throwIfAborted()
      const body = JSON.parse(question)
      try {
        return await read(await ask('POST', `/selections/${selection.id}/masks`, { body, wait: MOST_WAIT_S, signal }))
      } catch (error) {
        if (!(error instanceof Problem) || tries >= MOST_TRIES) throw error
        if (AGAIN.includes(error.trouble.name)) await new Promise((go) => setTimeout(go, error.wait * 1000))
        else if (!OVER.includes(error.trouble.name) || tries) throw error
        else {
          preparing = undefined
          queue.setSelection(id, undefined)
          tell({ state: 'expired' })
        }
      }
    }
  }

  /** @param {unknown} error Say why there is no answer; the marks stay. */
  function failed(error) {
    asked = ''
    if (!(error instanceof Away || error instanceof Problem)) throw error
    tell({ state: 'stopped', trouble: error instanceof Problem ? error.trouble : undefined })
    queue.heed(error)
  }

  /** Ask what is not answered yet. Newer marks end older questions. */
  async function sync() {
    const { marks = FRESH, selecting } = store.item(id) ?? {}
    const known = selecting?.answers ?? {}
    const open = questionsOf(marks.now).filter((each) => !known[each])
    if (open.length && open.join() === asked) return
    asked = open.join()
    asking.abort()
    if (!open.length) return selecting?.state === 'asking' && tell({ state: 'ready', ms: undefined })
    asking = new AbortController()
    const { signal } = asking
    const began = performance.now()
    tell({ state: selecting?.state === 'preparing' ? 'preparing' : 'asking', trouble: undefined })
    try {
      const found = await Promise.all(open.map(async (each) => [each, await answer(each, signal)]))
      if (signal.aborted) return
      const answers = Object.entries({ ...store.item(id)?.selecting?.answers, ...Object.fromEntries(found) })
      tell({ state: 'ready', answers: Object.fromEntries(answers.slice(-MOST_ANSWERS)), ms: performance.now() - began })
      asked = ''
    } catch (error) {
      if (!signal.aborted) failed(error)
    }
  }

  return {
    sync,
    /** Begin to prepare the photo, and ask about marks that are there already. */
    async enter() {
      try {
        const ready = prepared()
        sync()
        await ready
        if (!asked) tell({ state: 'ready', trouble: undefined })
      } catch (error) {
        failed(error)
      }
    },
    /** Forget the question on its way. */
    stop() {
      asking.abort()
      asked = ''
      if (store.item(id)?.selecting?.state === 'asking') tell({ state: 'ready' })
    },
    /** Get the photo as the service can show it, and show it from now on. */
    async show() {
      try {
        const { preview, width, height } = await prepared()
        const answer = await fetch(preview?.url ?? '')
        if (answer.ok) queue.showPhoto(id, await answer.blob(), { width, height })
        else throw new Problem(answer.status, { type: '#ResultGone' })
      } catch (error) {
        failed(error)
      }
    },
  }
}
