/** Say where each state of a machine is drawn, and each transition: layers from above to below, boxes in boxes. Pure. */

import { columnsOf } from './columns.js'
import { backLinks, ordered, ranksOf } from './layers.js'

/** @import { Edge, Scope, State } from './asl.js' */
/** @import { Chain, Link, Slot } from './layers.js' */

/**
 * All in pixels from the top left corner. `box` is around what a Map or a Parallel has in it.
 * @typedef {{ id: string, x: number, y: number, width: number, height: number, state?: State, box?: { height: number } }} Node
 * @typedef {{ x: number, y: number, width: number, height: number, text: string }} Label
 * @typedef {{ from: string, to: string, kind: Edge['kind'] | 'start', whys: string[], path: string, back: boolean, label?: Label }} Line
 *   `whys` has one text a transition; the path of one that goes `back` begins at its end
 * @typedef {{ width: number, height: number, nodes: Node[], lines: Line[] }} Drawing
 */

const LETTER = 7.9 // px; a wide one at 13 px
const SMALL = 6.6
const HEIGHT = 44
const GAP = 30
const PADDING = 18
const LABEL = 20
const MOST = 26 // letters of a label
const DOT = 14

/** @param {string} text @param {number} most letters */
export const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text)

/** @param {string} name @returns {number} px */
const widthOf = (name) => Math.round(Math.max(174, 66 + Math.min(34, name.length) * LETTER))

/** @param {Edge[]} edges @returns {{ from: string, to: string, kind: Edge['kind'], whys: string[] }[]} one a line that is drawn */
function together(edges) {
  /** @type {Map<string, { from: string, to: string, kind: Edge['kind'], whys: string[] }>} */
  const lines = new Map()
  for (const { from, to, kind, label } of edges) {
    const key = JSON.stringify([from, to, kind === 'catch'])
    const line = lines.get(key) ?? { from, to, kind, whys: [] }
    line.whys.push(label)
    lines.set(key, line)
  }
  return [...lines.values()]
}

/** @param {string[]} whys @returns {string} what is written beside a line: of a variable, the last part of its name */
const written = (whys) =>
  cut((whys.find(Boolean) ?? '').replace(/\$+\.[\w.[\]*$-]*\.(?=\w)/g, '…'), MOST) + (whys.length > 1 ? ` +${whys.length - 1}` : '')

/** @param {Scope} scope @returns {Drawing} */
export function layout(scope) {
  const start = `start of ${scope.start}`
  /** @type {Map<string, Drawing[]>} */
  const inner = new Map(scope.states.map(({ id, scopes }) => [id, scopes.map(layout)]))
  /** @type {Map<string, Slot>} */
  const slots = new Map([[start, { id: start, rank: 0, width: DOT, height: DOT, real: true }]])
  for (const { id } of scope.states) {
    const parts = inner.get(id) ?? []
    const wide = parts.reduce((sum, { width }) => sum + width + PADDING, PADDING)
    const tall = Math.max(0, ...parts.map(({ height }) => height))
    slots.set(id, { id, rank: 0, width: Math.max(widthOf(id), parts.length ? wide : 0), height: HEIGHT + (parts.length ? tall + PADDING : 0), real: true })
  }
  const nodes = [...slots.keys()]
  const drawn = together(scope.edges).filter(({ from, to }) => slots.has(from) && slots.has(to))
  const links = [
    { from: start, to: scope.start, kind: 'start', least: 1, whys: [''] },
    ...drawn.map((line) => ({ ...line, least: written(line.whys) && line.kind !== 'catch' ? 2 : 1 })),
  ]
  const back = backLinks(nodes, links, start)
  const ranks = ranksOf(nodes, links, back)
  for (const [id, rank] of ranks) /** @type {Slot} */ (slots.get(id)).rank = rank
  const chains = links.filter(({ from, to }) => from !== to).map((link) => chain(link, back.has(link), slots))
  const pairs = pairsOf(chains)
  /** @type {string[][]} */
  const first = []
  for (const { id, rank } of slots.values()) (first[rank] ??= []).push(id)
  const layers = ordered(Array.from(first, (each) => each ?? []), pairs)
  const columns = columnsOf(layers, slots, pairs)
  const rows = rowsOf(layers, slots)
  return draw({ scope, start, slots, inner, links, chains, columns, rows })
}

/**
 * Lines of one kind to one state share their way there; each has its label before that.
 * @param {Link & { whys: string[] }} link @param {boolean} back @param {Map<string, Slot>} slots gets those that the line passes
 * @returns {Chain}
 */
function chain(link, back, slots) {
  const { from, to, kind, least, whys } = link
  const [upper, lower] = back ? [to, from] : [from, to]
  const [top, bottom] = [upper, lower].map((id) => slots.get(id)?.rank ?? 0)
  const passed = []
  for (let rank = top + 1; rank < bottom; rank += 1) {
    const labelled = least === 2 && rank === (back ? bottom - 1 : top + 1)
    const id = labelled ? `label ${from} ${to}` : `${kind === 'catch' ? 'catch' : 'flow'} ${back ? `from ${from}` : ''} to ${to} at ${rank}`
    if (!slots.has(id)) slots.set(id, { id, rank, width: labelled ? Math.round(written(whys).length * SMALL + 14) : 8, height: labelled ? LABEL : 0, real: false })
    passed.push(id)
  }
  return { link, back, slots: [upper, ...passed, lower] }
}

/** @param {Chain[]} chains @returns {[string, string][]} */
function pairsOf(chains) {
  const known = new Map()
  for (const { slots } of chains) for (let at = 1; at < slots.length; at += 1) known.set(JSON.stringify(slots.slice(at - 1, at + 1)), [slots[at - 1], slots[at]])
  return [...known.values()]
}

/** @param {string[][]} layers @param {Map<string, Slot>} slots @returns {{ top: number, bottom: number }[]} */
function rowsOf(layers, slots) {
  let top = 0
  return layers.map((layer) => {
    const bottom = top + Math.max(0, ...layer.map((id) => slots.get(id)?.height ?? 0))
    const row = { top, bottom }
    top = bottom + GAP
    return row
  })
}

/**
 * @param {{ scope: Scope, start: string, slots: Map<string, Slot>, inner: Map<string, Drawing[]>, links: (Link & { whys: string[] })[],
 *   chains: Chain[], columns: Map<string, number>, rows: { top: number, bottom: number }[] }} given
 * @returns {Drawing}
 */
function draw({ scope, start, slots, inner, links, chains, columns, rows }) {
  /** @type {Node[]} */
  const nodes = []
  /** @type {Line[]} */
  const lines = []
  const slotOf = (/** @type {string} */ id) => /** @type {Slot} */ (slots.get(id))
  const middle = (/** @type {string} */ id) => columns.get(id) ?? 0
  for (const id of [start, ...scope.states.map((each) => each.id)]) {
    const { width, height, rank } = slotOf(id)
    const [x, y] = [middle(id) - width / 2, rows[rank].top]
    const parts = inner.get(id) ?? []
    const state = scope.states.find((each) => each.id === id)
    nodes.push({ id, x, y, width, height: Math.min(height, HEIGHT), state, ...(parts.length && { box: { height } }) })
    let left = x + (width - parts.reduce((sum, part) => sum + part.width + PADDING, -PADDING)) / 2
    for (const part of parts) {
      const moved = shifted(part, left, y + HEIGHT)
      nodes.push(...moved.nodes)
      lines.push(...moved.lines)
      left += part.width + PADDING
    }
  }
  for (const { from, to, kind, whys } of links) {
    const found = chains.find(({ link }) => link.from === from && link.to === to && (link.kind === 'catch') === (kind === 'catch'))
    const labelled = slots.get(`label ${from} ${to}`)
    lines.push({
      from, to, kind: /** @type {Line['kind']} */ (kind), whys, back: Boolean(found?.back),
      path: found ? way(found, slotOf, middle, rows) : loop(slotOf(from), middle(from), rows),
      ...(labelled && kind !== 'catch' && { label: labelOf(labelled, middle(labelled.id), rows, whys) }),
    })
  }
  const right = Math.max(...[...slots.values()].map(({ id, width }) => middle(id) + width / 2))
  return { width: Math.ceil(right + (links.some(({ from, to }) => from === to) ? GAP : 0)), height: rows.at(-1)?.bottom ?? 0, nodes, lines }
}

/**
 * Straight down within layers, and curved between them: so no line touches a state that it does not belong to.
 * @param {Chain} chain @param {(id: string) => Slot} slotOf @param {(id: string) => number} middle @param {{ top: number, bottom: number }[]} rows
 */
function way({ link, back, slots }, slotOf, middle, rows) {
  const aside = link.kind === 'catch' ? 18 : 0
  const at = slots.map((id) => middle(id))
  const ends = slots.map((id) => rows[slotOf(id).rank])
  const last = slots.length - 1
  at[back ? last : 0] += aside
  let path = `M${at[0]} ${ends[0].top + slotOf(slots[0]).height}V${ends[0].bottom}`
  for (let step = 1; step <= last; step += 1) {
    const half = (ends[step - 1].bottom + ends[step].top) / 2
    path += `C${at[step - 1]} ${half} ${at[step]} ${half} ${at[step]} ${ends[step].top}`
    if (step < last) path += `V${ends[step].bottom}`
  }
  return path
}

/** @param {Slot} slot @param {number} middle @param {{ top: number }[]} rows @returns {string} a line from a state to itself, on its right */
function loop({ width, rank }, middle, rows) {
  const [x, y] = [middle + width / 2, rows[rank].top]
  return `M${x} ${y + 12}C${x + 22} ${y + 4} ${x + 22} ${y + 36} ${x} ${y + 30}`
}

/** @param {Slot} slot @param {number} middle @param {{ top: number }[]} rows @param {string[]} whys @returns {Label} */
const labelOf = ({ width, rank }, middle, rows, whys) => ({ x: middle - width / 2, y: rows[rank].top, width, height: LABEL, text: written(whys) })

/** @param {Drawing} drawing @param {number} x @param {number} y @returns {Drawing} */
function shifted(drawing, x, y) {
  const path = (/** @type {string} */ text) =>
    text.replace(/([MCV])([^MCV]*)/g, (_, letter, rest) => {
      const numbers = rest.trim().split(/\s+/).map(Number)
      if (letter === 'V') return `V${numbers[0] + y}`
      return letter + numbers.map((/** @type {number} */ each, /** @type {number} */ at) => each + (at % 2 ? y : x)).join(' ')
    })
  return {
    ...drawing,
    nodes: drawing.nodes.map((each) => ({ ...each, x: each.x + x, y: each.y + y })),
    lines: drawing.lines.map((each) => ({ ...each, path: path(each.path), ...(each.label && { label: { ...each.label, x: each.label.x + x, y: each.label.y + y } }) })),
  }
}
