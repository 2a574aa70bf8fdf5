/** Move through a drawing by arrow keys: down and up along the lines, left and right between the ways. Pure. */

/** @import { Drawing, Node } from './layout.js' */

const ORDER = ['start', 'next', 'default', 'choice', 'catch']

/** @param {Drawing} drawing @returns {Map<string, string[]>} where each state leads, the usual way first */
function waysOf({ nodes, lines }) {
  const places = new Map(nodes.map((each) => [each.id, each]))
  /** @type {Map<string, string[]>} */
  const ways = new Map(nodes.map(({ id }) => [id, []]))
  for (const { from, to, kind } of lines.toSorted((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind))) {
    const box = places.get(to)?.state?.inside
    ways.get(kind === 'start' && box ? box : from)?.push(to) // a box leads to the first state in it
  }
  for (const { state } of nodes) {
    if (!state?.ends || !state.inside) continue
    ways.get(state.id)?.push(...lines.filter(({ from, kind }) => from === state.inside && kind !== 'catch').map(({ to }) => to))
  }
  return ways
}

/**
 * @param {Drawing} drawing @param {string} id of the state that has the focus @param {string} key of the keyboard
 * @param {string} [from] the state that the focus came down from: left and right go to its other ways
 * @returns {{ id: string, from?: string } | undefined} the state that gets the focus, and where it came from
 */
export function walk(drawing, id, key, from) {
  const states = drawing.nodes.filter(({ state }) => state)
  const ways = waysOf(drawing)
  const rank = (/** @type {Node} */ node) => (ways.get(node.id) ?? []).indexOf(id)
  const before = states.filter((each) => each.id !== id && rank(each) >= 0).toSorted((a, b) => rank(a) - rank(b))
  const parent = before.find((each) => each.id === from) ?? before[0]
  const found = (/** @type {string | undefined} */ next, /** @type {string | undefined} */ by) => (next ? { id: next, from: by } : undefined)
  if (key === 'ArrowDown') return found((ways.get(id) ?? []).find((each) => each !== id), id)
  if (key === 'ArrowUp') return found(parent?.id, undefined)
  if (key === 'Home') return found(states[0]?.id, undefined)
  if (key === 'End') return found(states.toSorted((a, b) => b.y - a.y)[0]?.id, undefined)
  const step = { ArrowRight: 1, ArrowLeft: -1 }[key]
  if (!step || !parent) return undefined
  const row = states.filter((each) => ways.get(parent.id)?.includes(each.id)).toSorted((a, b) => a.x - b.x || a.y - b.y)
  return found(row[row.findIndex((each) => each.id === id) + step]?.id, parent.id)
}
