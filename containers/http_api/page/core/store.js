/** The page's one state: read it, change it, hear of changes. */

/** @import { Item, State } from './types' */

/** @param {State} state */
export function makeStore(state) {
  /** @type {Set<() => void>} */
  const listeners = new Set()
  const store = {
    get state() {
      return state
    },
    /** @param {Partial<State>} change */
    set(change) {
      state = { ...state, ...change }
      for (const each of listeners) each()
    },
    /** @param {() => void} listener */
    subscribe(listener) {
      listeners.add(listener)
    },
    /** @param {string | null} id @returns {Item | undefined} */
    item(id) {
      return state.items.find((each) => each.id === id)
    },
    /** @param {string} id @param {Partial<Item>} change */
    change(id, change) {
      store.set({ items: state.items.map((each) => (each.id === id ? { ...each, ...change } : each)) })
    },
  }
  return store
}
/** @typedef {ReturnType<typeof makeStore>} Store */
