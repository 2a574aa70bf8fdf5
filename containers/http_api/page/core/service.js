/** While the service does not answer, or takes no more for now: wait, say so, and ask again. */

import { Away, ask } from './api.js'

/** @import { Store } from './store.js' */
/** @import { Problem } from './api.js' */

const FIRST_S = 2
const MOST_S = 30

/** @param {Store} store @param {() => void} onBack what to do once the service answers again */
export function makeService(store, onBack) {
  let delay = FIRST_S
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer

  function later() {
    store.set({ away: { until: Date.now() + delay * 1000 } })
    timer = setTimeout(probe, delay * 1000)
    delay = Math.min(MOST_S, delay * 2)
  }

  async function probe() {
    clearTimeout(timer)
    try {
      await ask('GET', '/models')
    } catch (error) {
      if (error instanceof Away) return later()
    }
    delay = FIRST_S
    store.set({ away: null, limited: null })
    onBack()
  }

  return {
    probe,
    /** The service did not answer. */
    lost() {
      if (!store.state.away) later()
    },
    /** @param {Problem} problem The service takes no more for now. */
    limit({ trouble, wait }) {
      const until = Date.now() + (wait || MOST_S) * 1000
      store.set({ limited: { until, words: trouble.detail || trouble.title } })
      setTimeout(() => {
        store.set({ limited: null })
        onBack()
      }, until - Date.now())
    },
    get waits() {
      return Boolean(store.state.away || store.state.limited)
    },
  }
}
/** @typedef {ReturnType<typeof makeService>} Service */
