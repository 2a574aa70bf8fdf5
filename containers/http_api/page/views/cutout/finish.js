/** Give a cut-out the background, frame, size and format that its owner chose. */

import { resultOf } from '../../core/results.js'
import { lookOf } from './picture.js'

/** @import { Item, Look, Page } from '../../core/types' */

const VISIBLE = 8 // of 255: as the service's own crop has it
const STRIPE = 256 // rows read at a time
const SEARCHED = 1024 // longest side on which a frame is found for the screen

/** @typedef {{ x: number, y: number, width: number, height: number }} Frame */

/** @param {number} width @param {number} height */
function sheet(width, height) {
  const canvas = new OffscreenCanvas(width, height)
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (
    canvas.getContext('2d', { willReadFrequently: true })
  )
  context.imageSmoothingQuality = 'high'
  return { canvas, context }
}

/**
 * @param {ImageBitmap} picture
 * @param {number} margin percent of the longer side; the frame never leaves the picture
 * @param {number} most the longest side on which the subject is looked for
 * @returns {Frame} the smallest one around everything that can be seen
 */
function subjectFrame(picture, margin, most) {
  const share = Math.min(1, most / Math.max(picture.width, picture.height))
  const width = Math.max(1, Math.round(picture.width * share))
  const height = Math.max(1, Math.round(picture.height * share))
  let [left, top, right, bottom] = [width, height, 0, 0]
  for (let from = 0; from < height; from += STRIPE) {
    const rows = Math.min(STRIPE, height - from)
    const { context } = sheet(width, rows)
    context.drawImage(picture, 0, -from, width, height)
    const { data } = context.getImageData(0, 0, width, rows)
    for (let y = 0; y < rows; y += 1) {
      for (let x = 0; x < width; x += 1) {
        if (data[(y * width + x) * 4 + 3] < VISIBLE) continue
        if (x < left) left = x
        if (x >= right) right = x + 1
        if (y + from < top) top = y + from
        bottom = y + from + 1
      }
    }
  }
  if (!right) return { x: 0, y: 0, width: picture.width, height: picture.height }
  const around = (margin / 100) * Math.max(right - left, bottom - top)
  const x = Math.max(0, Math.round((left - around) / share))
  const y = Math.max(0, Math.round((top - around) / share))
  return {
    x, y,
    width: Math.min(picture.width, Math.round((right + around) / share)) - x,
    height: Math.min(picture.height, Math.round((bottom + around) / share)) - y,
  }
}

/** @param {Blob} blob @param {number} margin @returns {Promise<Frame>} for the screen */
export async function frameOf(blob, margin) {
  const picture = await createImageBitmap(blob)
  const frame = subjectFrame(picture, margin, SEARCHED)
  picture.close()
  return frame
}

/**
 * @param {Blob} blob the service's result
 * @param {Look} look
 * @returns {Promise<Blob>} the result itself, byte for byte, if nothing is to be changed
 */
export async function finish(blob, { background, trim, margin, size, format }) {
  const type = `image/${format}`
  const picture = await createImageBitmap(blob)
  const tooLarge = size > 0 && size < Math.max(picture.width, picture.height)
  if (!background && !trim && !tooLarge && blob.type === type) {
    picture.close()
    return blob
  }
  const whole = { x: 0, y: 0, width: picture.width, height: picture.height }
  const frame = trim ? subjectFrame(picture, margin, Infinity) : whole
  const share = size ? Math.min(1, size / Math.max(frame.width, frame.height)) : 1
  const { canvas, context } = sheet(
    Math.max(1, Math.round(frame.width * share)), Math.max(1, Math.round(frame.height * share)),
  )
  const behind = background || (format === 'jpeg' ? '#ffffff' : '')
  if (behind) {
    context.fillStyle = behind
    context.fillRect(0, 0, canvas.width, canvas.height)
  }
  context.drawImage(picture, frame.x, frame.y, frame.width, frame.height, 0, 0, canvas.width, canvas.height)
  picture.close()
  return canvas.convertToBlob({ type, quality: 0.92 })
}

/** @param {Item} item @param {Page} page @returns {Promise<File>} what is downloaded */
export async function finished(item, page) {
  const look = lookOf(item, page.store.state.settings)
  const blob = await finish(await resultOf(page.store, item), look)
  const stem = item.name.replace(/\.\w{1,8}$/, '').replace(/[/\\:*?"<>|\p{C}]/gu, '_')
  return new File([blob], `${stem}.${look.format === 'jpeg' ? 'jpg' : look.format}`, { type: blob.type })
}
