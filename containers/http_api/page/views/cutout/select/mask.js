/** Candidates as the API answers them: read, merged, ordered, and traced as outlines. */

/** @import { Answer, Box, Candidate, MaskGrid } from '../../../core/types' */

const SAME = 0.05 // candidates that differ by less of their area are one
const OUTSIDE = 0

/** @typedef {{ levels: Uint8Array, width: number, height: number }} Mask */

/** @param {string} png base64 @returns {Promise<Mask>} */
async function decoded(png) {
  const bytes = Uint8Array.from(atob(png), (each) => each.charCodeAt(0))
  const picture = await createImageBitmap(new Blob([bytes], { type: 'image/png' }), { colorSpaceConversion: 'none' })
  const { width, height } = picture
  const canvas = new OffscreenCanvas(width, height)
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d'))
  context.drawImage(picture, 0, 0)
  picture.close()
  const { data } = context.getImageData(0, 0, width, height)
  return { width, height, levels: Uint8Array.from({ length: width * height }, (_, at) => data[at * 4]) }
}

/**
 * The line along which the smoothly enlarged levels cross the boundary (marching squares). A mask
 * goes on to the photo's edge, and ends outside it, so the edge itself gets no line.
 * @param {Mask} mask @param {number} boundary the subject's least level
 * @returns {string} an SVG path, in pixels of the mask
 */
export function outline({ levels, width, height }, boundary) {
  const columns = width + 4
  const limit = boundary - 0.5 // between two levels, so that no sample lies on the line
  const level = (/** @type {number} */ i, /** @type {number} */ j) =>
    i < -1 || j < -1 || i > width || j > height ? OUTSIDE
    : levels[Math.min(height - 1, Math.max(0, j)) * width + Math.min(width - 1, Math.max(0, i))]
  const place = (/** @type {number} */ i, /** @type {number} */ size) =>
    i < -1 ? -1 : i > size ? size + 1 : Math.min(size, Math.max(0, i + 0.5))

  /** @type {Map<number, number>} where the line leaves a cell, by where it enters it */
  const next = new Map()
  for (let j = -2; j <= height; j += 1) {
    for (let i = -2; i <= width; i += 1) {
      const corners = [level(i, j), level(i + 1, j), level(i + 1, j + 1), level(i, j + 1)]
      const code = corners.reduce((sum, each, bit) => sum + (each > limit ? 1 << bit : 0), 0)
      if (code === 0 || code === 15) continue
      const cell = ((j + 2) * columns + i + 2) * 2
      const sides = [cell, cell + 3, cell + columns * 2, cell + 1] // above, right, below, left
      for (const [from, to] of CROSSINGS[code]) next.set(sides[from], sides[to])
    }
  }

  /** @param {number} side @returns {string} where the line crosses it */
  function crossing(side) {
    const upright = side % 2
    const i = (side >> 1) % columns - 2
    const j = Math.floor((side >> 1) / columns) - 2
    const [a, b] = [level(i, j), upright ? level(i, j + 1) : level(i + 1, j)]
    const share = (limit - a) / (b - a)
    const along = (/** @type {number} */ at, /** @type {number} */ size) =>
      place(at, size) + share * (place(at + 1, size) - place(at, size))
    const [x, y] = upright ? [place(i, width), along(j, height)] : [along(i, width), place(j, height)]
    return `${Math.round(x * 100) / 100} ${Math.round(y * 100) / 100}`
  }

  let path = ''
  for (const [first] of next) {
    if (!next.has(first)) continue // already walked
    const points = []
    for (let side = first; next.has(side);) {
      points.push(crossing(side))
      const to = /** @type {number} */ (next.get(side))
      next.delete(side)
      side = to
    }
    path += `M${points.join('L')}Z`
  }
  return path
}

/** By which corners are inside (1, 2, 4, 8: clockwise from the top left): side to side, inside left. */
const CROSSINGS = [
  [], [[3, 0]], [[0, 1]], [[3, 1]], [[1, 2]], [[3, 0], [1, 2]], [[0, 2]], [[3, 2]],
  [[2, 3]], [[2, 0]], [[0, 1], [2, 3]], [[2, 1]], [[1, 3]], [[1, 0]], [[0, 3]], [],
]

/** @param {Mask} mask @param {MaskGrid} grid @param {number} boundary @returns {{ area: number, box: Box }} in fractions */
function extent({ levels, width }, { photo }, boundary) {
  let [area, x0, y0, x1, y1] = [0, Infinity, Infinity, 0, 0]
  levels.forEach((each, at) => {
    if (each < boundary) return
    const [x, y] = [at % width, Math.floor(at / width)]
    area += 1
    x0 = Math.min(x0, x)
    x1 = Math.max(x1, x + 1)
    y0 = Math.min(y0, y)
    y1 = y + 1
  })
  const across = (/** @type {number} */ x) => Math.min(1, Math.max(0, (x - photo.x) / photo.width))
  const down = (/** @type {number} */ y) => Math.min(1, Math.max(0, (y - photo.y) / photo.height))
  return {
    area: area / (photo.width * photo.height),
    box: area ? { x0: across(x0), y0: down(y0), x1: across(x1), y1: down(y1) } : { x0: 0, y0: 0, x1: 1, y1: 1 },
  }
}

/** @param {Mask} one @param {Mask} other @param {number} boundary @returns {boolean} */
function alike(one, other, boundary) {
  let [apart, both] = [0, 0]
  one.levels.forEach((level, at) => {
    const [here, there] = [level >= boundary, other.levels[at] >= boundary]
    if (here !== there) apart += 1
    if (here || there) both += 1
  })
  return apart < SAME * both || apart === both // or both are empty
}

/**
 * @param {{ candidates: { score: number, chosen: boolean, png: string }[], mask: MaskGrid, boundary: number }} masks
 * @returns {Promise<Answer>} candidates from small to large; of those that are alike, the model's choice or the surer one
 */
export async function read({ candidates, mask: grid, boundary }) {
  const all = await Promise.all(candidates.map(async (each) => ({ ...each, mask: await decoded(each.png) })))
  all.sort((a, b) => Number(b.chosen) - Number(a.chosen) || b.score - a.score)
  /** @type {typeof all} */
  const different = []
  for (const each of all) {
    if (!different.some((other) => alike(each.mask, other.mask, boundary))) different.push(each)
  }
  /** @type {Candidate[]} */
  const found = different.map(({ score, chosen, mask }) => ({
    score: Math.min(1, Math.max(0, score)), chosen, path: outline(mask, boundary), ...extent(mask, grid, boundary),
  }))
  found.sort((a, b) => a.area - b.area)
  return { candidates: found, best: found.findIndex((each) => each.chosen), grid }
}
