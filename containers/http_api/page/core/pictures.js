/** Small pictures of photos. One photo is decoded at a time: 50 megapixels are 200 MB in memory. */

const SHOWN = 1600 // longest side of the photo that is kept for comparing after a reload
const THUMB = 104 // twice the largest thumbnail

/** @type {Promise<unknown>} */
let turn = Promise.resolve()

/** @template T @param {() => Promise<T>} task @returns {Promise<T>} */
export function inTurn(task) {
  const mine = turn.then(task)
  turn = mine.catch(() => undefined)
  return mine
}

/** @param {ImageBitmap} picture @param {number} most @param {string} type */
async function reduced(picture, most, type) {
  const share = Math.min(1, most / Math.max(picture.width, picture.height))
  const [width, height] = [picture.width, picture.height].map((side) => Math.max(1, Math.round(side * share)))
  const canvas = new OffscreenCanvas(width, height)
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d'))
  context.imageSmoothingQuality = 'high'
  context.drawImage(picture, 0, 0, width, height)
  return canvas.convertToBlob({ type, quality: 0.86 })
}

/**
 * @param {Blob} file
 * @returns {Promise<{ width: number, height: number, photo: Blob, thumb: Blob } | null>}
 *   null if this browser cannot decode it, as most cannot decode HEIC and TIFF
 */
export const smaller = (file) =>
  inTurn(async () => {
    let picture
    try {
      picture = await createImageBitmap(file)
    } catch {
      return null
    }
    const { width, height } = picture
    const photo = await reduced(picture, SHOWN, 'image/jpeg')
    const thumb = await reduced(picture, THUMB, 'image/webp')
    picture.close()
    return { width, height, photo, thumb }
  })

/** @param {Blob} cutout @returns {Promise<Blob>} a thumbnail with transparency */
export const thumbOf = (cutout) =>
  inTurn(async () => {
    const picture = await createImageBitmap(cutout)
    const thumb = await reduced(picture, THUMB, 'image/webp')
    picture.close()
    return thumb
  })
