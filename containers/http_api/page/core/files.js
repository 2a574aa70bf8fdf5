/** Read what was dropped, pasted or chosen; say what a file is, before it is sent. */

/** @import { Trouble } from './types' */

const PHOTOS = /\.(jpe?g|jfif|png|webp|hei[cf]|avif|tiff?|bmp|gif)$/i
const RECORDINGS = /\.(wav|mp3|m4a|flac|ogg|opus|aac|wma|mp4|mov|mkv|webm)$/i
const MOST_NAME = 200 // bytes: the API's limit

/** @param {FileSystemEntry} entry @returns {Promise<File[]>} */
async function filesOf(entry) {
  if (entry.name.startsWith('.')) return []
  if (entry.isFile) {
    const file = /** @type {FileSystemFileEntry} */ (entry)
    return [await new Promise((resolve, reject) => file.file(resolve, reject))]
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader()
  const found = []
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject))
    if (!some.length) return found // a browser lists at most 100 entries at a time
    for (const each of some) found.push(...(await filesOf(each)))
  }
}

/** @param {DataTransfer} transfer @returns {Promise<File[]>} with those inside folders */
export async function transferred(transfer) {
  const entries = [...transfer.items].map((each) => each.webkitGetAsEntry?.()) // only now: it empties
  const plain = [...transfer.files]
  if (!entries.some((each) => each?.isDirectory)) return plain
  const found = await Promise.all(entries.map((each) => (each ? filesOf(each) : [])))
  return found.flat()
}

/** @param {{ name: string, type: string }} file @returns {string | undefined} what it becomes unless asked otherwise */
export function productOf({ name, type }) {
  if (RECORDINGS.test(name)) return 'transcript'
  if (PHOTOS.test(name) || type.startsWith('image/')) return 'cutout'
  return /^(audio|video)\//.test(type) ? 'transcript' : undefined
}

/** @param {string} [product] Whether its files are pictures, which a browser may be able to show. */
export const isPhoto = (product) => product === 'cutout' || product === 'faces'

/**
 * @param {File} file
 * @returns {Promise<Trouble | null>} why it is not sent; the service judges everything else
 */
export async function objection(file) {
  if (file.size === 0) return { name: 'EmptyFile', title: '', detail: '', hint: '' }
  const head = await file.slice(0, 5).text()
  if (head === '%PDF-') return { name: 'Pdf', title: '', detail: '', hint: '' }
  if (productOf(file)) return null
  return { name: 'NoMedia', title: '', detail: '', hint: '' }
}

/** @param {string} name @returns {string} a name that the API takes */
export function plainName(name) {
  const plain = name.normalize('NFC').replace(/\p{C}|[/\\]|\$(?=\{)/gu, '_').trim() || 'file'
  const size = (/** @type {string} */ text) => new TextEncoder().encode(text).length
  if (size(plain) <= MOST_NAME && !/^\.\.?$/.test(plain)) return plain
  const end = /\.\w{1,8}$/.exec(plain)?.[0] ?? ''
  let stem = [...plain.slice(0, plain.length - end.length)]
  while (size(stem.join('') + end) > MOST_NAME) stem = stem.slice(0, -1)
  return stem.join('').trim().replace(/^\.*$/, 'file') + end
}

/** @param {File} file @returns {string | undefined} its type, if the API takes it */
export const mediaType = ({ type }) =>
  /^(image|audio|video)\/[a-z0-9][a-z0-9.+-]*$/.test(type) ? type : undefined
