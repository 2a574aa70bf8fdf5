/** Order a graph in layers from above to below, so that few lines cross (Sugiyama's method). Pure. */

/**
 * A slot is a node, or the place where a line passes a layer or has its label.
 * @typedef {{ id: string, rank: number, width: number, height: number, real: boolean }} Slot
 * @typedef {{ from: string, to: string, kind: string, least: number }} Link `least` is how many layers it spans at least
 * @typedef {{ link: Link, back: boolean, slots: string[] }} Chain the slots that a link passes, from above to below
 */

const SWEEPS = 10

/** @param {string[]} nodes @param {Link[]} links @param {string} start @returns {Set<Link>} those that close a circle */
export function backLinks(nodes, links, start) {
  /** @type {Set<Link>} */
  const back = new Set()
  /** @type {Map<string, 'open' | 'done'>} */
  const seen = new Map()
  const visit = (/** @type {string} */ id) => {
    seen.set(id, 'open')
    for (const link of links) {
      if (link.from !== id) continue
      if (seen.get(link.to) === 'open') back.add(link)
      else if (!seen.has(link.to)) visit(link.to)
    }
    seen.set(id, 'done')
  }
  for (const id of [start, ...nodes]) if (!seen.has(id)) visit(id)
  return back
}

/** @param {string[]} nodes @param {Link[]} links @param {Set<Link>} back @returns {Map<string, number>} the longest way to each */
export function ranksOf(nodes, links, back) {
  const forward = links
    .filter(({ from, to }) => from !== to)
    .map((link) => (back.has(link) ? { ...link, from: link.to, to: link.from } : link))
  const ranks = new Map(nodes.map((id) => [id, 0]))
  for (let again = true, most = nodes.length + 1; again && most > 0; most -= 1) {
    again = false
    for (const { from, to, least } of forward) {
      const rank = (ranks.get(from) ?? 0) + least
      if (rank <= (ranks.get(to) ?? 0)) continue
      ranks.set(to, rank)
      again = true
    }
  }
  return ranks
}

/** @param {Map<string, string[]>} near @param {string[][]} layers @returns {number} how many pairs of lines cross */
export function crossings(near, layers) {
  let sum = 0
  for (let rank = 0; rank + 1 < layers.length; rank += 1) {
    const place = new Map(layers[rank + 1].map((id, at) => [id, at]))
    const ends = layers[rank].map((id) => (near.get(id) ?? []).flatMap((other) => place.get(other) ?? []))
    for (let left = 0; left < ends.length; left += 1)
      for (let right = left + 1; right < ends.length; right += 1)
        for (const one of ends[left]) for (const other of ends[right]) if (one > other) sum += 1
  }
  return sum
}

/** @param {string[][]} layers @param {Map<string, string[]>} near @param {number} rank @param {number} from the layer that stays */
function sortLayer(layers, near, rank, from) {
  const place = new Map(layers[from].map((id, at) => [id, at]))
  const middle = new Map(layers[rank].map((id, at) => {
    const places = (near.get(id) ?? []).flatMap((other) => place.get(other) ?? [])
    return [id, places.length ? places.reduce((sum, each) => sum + each, 0) / places.length : at]
  }))
  layers[rank] = layers[rank].toSorted((a, b) => (middle.get(a) ?? 0) - (middle.get(b) ?? 0))
}

/** @param {string[][]} layers @param {Map<string, string[]>} near Swap neighbours while that saves a crossing. */
function swapNeighbours(layers, near) {
  for (let rank = 0; rank < layers.length; rank += 1) {
    const around = layers.slice(Math.max(0, rank - 1), rank + 2)
    const mine = Math.min(rank, 1)
    for (let at = 0; at + 1 < layers[rank].length; at += 1) {
      const swapped = layers[rank].with(at, layers[rank][at + 1]).with(at + 1, layers[rank][at])
      if (crossings(near, around.with(mine, swapped)) < crossings(near, around)) {
        layers[rank] = swapped
        around[mine] = swapped
      }
    }
  }
}

/**
 * @param {string[][]} first @param {[string, string][]} pairs neighbours in layers that follow each other
 * @returns {string[][]} the best order that was found; always the same for the same graph
 */
export function ordered(first, pairs) {
  /** @type {Map<string, string[]>} */
  const near = new Map(first.flat().map((id) => [id, []]))
  for (const [one, other] of pairs) {
    near.get(one)?.push(other)
    near.get(other)?.push(one)
  }
  const layers = first.map((each) => [...each])
  let best = first.map((each) => [...each])
  let fewest = crossings(near, best)
  for (let sweep = 0; sweep < SWEEPS && fewest; sweep += 1) {
    if (sweep % 2) for (let rank = layers.length - 2; rank >= 0; rank -= 1) sortLayer(layers, near, rank, rank + 1)
    else for (let rank = 1; rank < layers.length; rank += 1) sortLayer(layers, near, rank, rank - 1)
    swapNeighbours(layers, near)
    const now = crossings(near, layers)
    if (now < fewest) [best, fewest] = [layers.map((each) => [...each]), now]
  }
  return best
}
