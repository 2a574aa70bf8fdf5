/** Ask the console's routes, and ask again while somebody looks. */

import { Away, Problem, ask } from '../../core/api.js'
import { useEffect, useRef, useState } from '../../vendor/htm-preact.js'

/** @import { Page } from '../../core/types' */

const SLOWEST = 5 // times the usual pause, while nothing changes

/**
 * @template T
 * @param {Page} page
 * @param {string | null} path `null` asks nothing
 * @param {(answer: T) => number} [pause] ms until it is asked again; 0: never. A tab that nobody sees does not ask.
 * @returns {{ answer?: T, problem?: Problem, again: () => void }}
 */
export function useAnswer(page, path, pause = () => 0) {
  const [got, setGot] = useState(/** @type {{ path?: string | null, answer?: T, problem?: Problem }} */ ({}))
  const [round, setRound] = useState(0)
  const away = Boolean(page.store.state.away)
  const last = useRef('')
  useEffect(() => {
    if (path === null || away) return undefined
    const stop = new AbortController()
    let timer = 0
    let slower = 1
    let due = true // it must be asked as soon as somebody looks
    async function look() {
      if (document.hidden) return
      due = false
      try {
        const answer = await ask('GET', `${path}`, { signal: stop.signal })
        const text = JSON.stringify(answer)
        slower = text === last.current ? Math.min(SLOWEST, slower * 1.5) : 1
        last.current = text
        setGot({ path, answer })
        wait(pause(answer) * slower)
      } catch (error) {
        if (stop.signal.aborted) return
        page.queue.heed(error)
        if (error instanceof Problem && error.status !== 429) setGot({ path, problem: error })
        else if (error instanceof Problem) wait(Math.max(1, error.wait) * 1000)
        else if (!(error instanceof Away)) throw error
      }
    }
    const wait = (/** @type {number} */ ms) => {
      if (!ms || stop.signal.aborted) return
      timer = window.setTimeout(() => {
        due = true
        look()
      }, ms)
    }
    const seen = () => due && look()
    document.addEventListener('visibilitychange', seen)
    look()
    return () => {
      stop.abort()
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', seen)
    }
  }, [path, away, round])
  const mine = got.path === path ? got : {}
  return { answer: mine.answer, problem: mine.problem, again: () => setRound((n) => n + 1) }
}

/**
 * @param {Page} page @param {string} path @param {unknown} body
 * @returns {Promise<any>} the answer. Raises Problem; where the service is away, that is said, and it raises Away.
 */
export async function post(page, path, body) {
  try {
    return await ask('POST', path, { body: body ?? {}, key: crypto.randomUUID() })
  } catch (error) {
    page.queue.heed(error)
    throw error
  }
}
