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
 * @param {Drawing} drawing @param {string} id of the state that has the focus
 * @param {string} key of the keyboard @returns {string | undefined} the state that gets it
 */
export function walk(drawing, id, key) {
  const states = drawing.nodes.filter(({ state }) => state)
  const ways = waysOf(drawing)
  const before = states.filter((each) => ways.get(each.id)?.includes(id))
  if (key === 'ArrowDown') return (ways.get(id) ?? []).find((each) => each !== id)
  if (key === 'ArrowUp') return before.toSorted((a, b) => rank(ways, a, id) - rank(ways, b, id)).find((each) => each.id !== id)?.id
  if (key === 'Home') return states[0]?.id
  if (key === 'End') return states.toSorted((a, b) => b.y - a.y)[0]?.id
  const step = { ArrowRight: 1, ArrowLeft: -1 }[key]
  if (!step) return undefined
  const beside = new Set(before.flatMap((each) => ways.get(each.id) ?? []))
  const row = states.filter((each) => beside.has(each.id) || each.id === id).toSorted((a, b) => a.x - b.x || a.y - b.y)
  return row[row.findIndex((each) => each.id === id) + step]?.id
}

/** @param {Map<string, string[]>} ways @param {Node} node @param {string} id @returns {number} how usual that way is */
const rank = (ways, node, id) => (ways.get(node.id) ?? []).indexOf(id)
