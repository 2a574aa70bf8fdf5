/**
 * What comes back after a reload: items, their small pictures, and files that are not yet sent.
 * A browser may refuse to keep anything (a private window, a full disk): the page works without.
 */

/** @import { Item } from './types' */

const ITEMS = 'items'
const BLOBS = 'blobs'

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const settled = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })

/** @type {Promise<IDBDatabase> | undefined} */
let opened

function database() {
  const request = indexedDB.open('matteline', 1)
  request.onupgradeneeded = () => {
    request.result.createObjectStore(ITEMS, { keyPath: 'id' })
    request.result.createObjectStore(BLOBS)
  }
  return settled(request)
}

/**
 * @param {string} name
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest} act
 * @returns {Promise<any>} undefined if the browser refuses
 */
async function inStore(name, mode, act) {
  try {
    opened ??= database()
    const transaction = (await opened).transaction(name, mode)
    const request = act(transaction.objectStore(name))
    transaction.commit() // at once: the page may be closed before the browser would do so
    return await settled(request)
  } catch {
    return undefined
  }
}

/** @returns {Promise<Item[]>} */
export const keptItems = async () => (await inStore(ITEMS, 'readonly', (store) => store.getAll())) ?? []

/**
 * Addresses of pictures in memory mean nothing after a reload; answers are asked again. Who may be in a photo is never kept.
 * @param {Item} item
 */
export const keepItem = ({ thumb, cut, selecting, looking, finding, acting, asking, ...item }) =>
  inStore(ITEMS, 'readwrite', (store) => store.put(item))

/** @typedef {'file' | 'photo' | 'thumb' | 'cut'} Kind */

/** @param {string} id @param {Kind} kind @returns {Promise<Blob | undefined>} */
export const keptBlob = (id, kind) => inStore(BLOBS, 'readonly', (store) => store.get(`${id}/${kind}`))

/** @param {string} id @param {Kind} kind @param {Blob} blob */
export const keepBlob = (id, kind, blob) =>
  inStore(BLOBS, 'readwrite', (store) => store.put(blob, `${id}/${kind}`))

/** @param {string} id @param {Kind} kind */
export const dropBlob = (id, kind) => inStore(BLOBS, 'readwrite', (store) => store.delete(`${id}/${kind}`))

/** @param {string} id */
export async function forget(id) {
  await inStore(ITEMS, 'readwrite', (store) => store.delete(id))
  await inStore(BLOBS, 'readwrite', (store) => store.delete(IDBKeyRange.bound(`${id}/`, `${id}/~`)))
}

/** @param {string} [job] @returns {string} what the names of corrections in `localStorage` begin with */
export const editsOf = (job) => `matteline.edits/${job ? `${job}/` : ''}`

/** @param {string} [job] whose corrections; without it, those of all jobs */
export function forgetEdits(job) {
  try {
    for (const name of Object.keys(localStorage)) if (name.startsWith(editsOf(job))) localStorage.removeItem(name)
  } catch {
    // the browser keeps nothing
  }
}
