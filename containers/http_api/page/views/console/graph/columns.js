/** Say how far right each slot of a layered graph is: near to what it is connected with, and beside its neighbours. Pure. */

/** @import { Slot } from './layers.js' */

const APART = 22
const SWEEPS = 100

/**
 * Place slots in a row as near to their wishes as their widths allow: least squares, solved exactly by pooling neighbours
 * that want to overlap.
 *
 * @param {Slot[]} row from left to right @param {{ at: number, weight: number }[]} wishes
 * @returns {number[]} the middles
 */
export function placed(row, wishes) {
  let offset = 0
  /** @type {{ sum: number, weight: number, offsets: number[] }[]} */
  const pools = []
  row.forEach((slot, at) => {
    if (at) offset += (row[at - 1].width + slot.width) / 2 + APART
    const { at: wish, weight } = wishes[at]
    pools.push({ sum: (wish - offset) * weight, weight, offsets: [offset] })
    for (;;) {
      const [before, last] = pools.slice(-2)
      if (!last || before.sum / before.weight <= last.sum / last.weight) break
      pools.splice(-2, 2, { sum: before.sum + last.sum, weight: before.weight + last.weight, offsets: [...before.offsets, ...last.offsets] })
    }
  })
  return pools.flatMap(({ sum, weight, offsets }) => offsets.map((each) => sum / weight + each))
}

/**
 * @param {string[][]} layers @param {Map<string, Slot>} slots @param {[string, string][]} pairs neighbours
 * @returns {Map<string, number>} the middle of each slot; the leftmost edge is at 0
 */
export function columnsOf(layers, slots, pairs) {
  const of = (/** @type {string} */ id) => /** @type {Slot} */ (slots.get(id))
  /** @type {Map<string, [string, number][]>} */
  const near = new Map([...slots.keys()].map((id) => [id, []]))
  for (const [one, other] of pairs) {
    const bends = Number(!of(one).real) + Number(!of(other).real)
    const weight = [1, 2, 8][bends] // long lines are straight
    near.get(one)?.push([other, weight])
    near.get(other)?.push([one, weight])
  }
  /** @type {Map<string, number>} */
  const middles = new Map()
  const settle = (/** @type {string[]} */ layer) => {
    const wishes = layer.map((id) => {
      const known = (near.get(id) ?? []).filter(([other]) => middles.has(other))
      const weight = known.reduce((sum, [, each]) => sum + each, 0)
      if (!weight) return { at: middles.get(id) ?? 0, weight: 0.01 }
      return { at: known.reduce((sum, [other, each]) => sum + each * (middles.get(other) ?? 0), 0) / weight, weight }
    })
    placed(layer.map(of), wishes).forEach((middle, at) => middles.set(layer[at], middle))
  }
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) for (const layer of sweep % 2 ? layers.toReversed() : layers) settle(layer)
  const left = Math.min(...[...middles].map(([id, middle]) => middle - of(id).width / 2))
  return new Map([...middles].map(([id, middle]) => [id, Math.round(middle - left)]))
}
