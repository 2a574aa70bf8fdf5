/** The user's files: add, send four at a time, cancel, try again, make again, remove. */

import { Away, Problem, ask } from './api.js'
import { isPhoto, mediaType, objection, plainName, productOf } from './files.js'
import { makeFollower } from './follow.js'
import { makeJobs } from './jobs.js'
import * as keep from './keep.js'
import { smaller } from './pictures.js'
import { makeService } from './service.js'
import { Stopped, sendForm } from './upload.js'

/** @import { History, Item, Look, Wanted } from './types' */
/** @import { Store } from './store.js' */

const AT_ONCE = 4
const MOST_TRIES = 3
const SHOWN_EVERY_MS = 100
const MOST_KEPT = 2 ** 28 // bytes of a file that a reload finds again: the browser copies it

/** @param {Store} store */
export function makeQueue(store) {
  /** @type {Map<string, AbortController>} */
  const sending = new Map()
  /** @type {Set<string>} */
  const checking = new Set()
  /** @type {Map<string, Blob>} */
  const files = new Map()
  /** @type {Map<string, Blob>} photos that only the service can decode, as it shows them */
  const shown = new Map()
  const service = makeService(store, wake)
  const follower = makeFollower(store, () => service, note)
  const jobs = makeJobs(store, service, follower, note)

  /** @param {string} id @param {Partial<Item>} change */
  function note(id, change) {
    store.change(id, change)
    const item = store.item(id)
    if (item) keep.keepItem(item)
  }

  function wake() {
    pump()
    follower.follow()
    if (service.waits) return
    for (const item of store.state.items) {
      if (item.phase === 'uploading' && !sending.has(item.id) && !checking.has(item.id)) check(item)
    }
  }

  /** @param {Item} item The page was reloaded while it was sent: it may have arrived. */
  async function check(item) {
    checking.add(item.id)
    try {
      await follower.look(item)
    } catch (error) {
      if (!(error instanceof Away)) throw error
      service.lost()
    } finally {
      checking.delete(item.id)
      wake()
    }
  }

  function pump() {
    if (service.waits) return
    const waiting = store.state.items.filter((each) => each.phase === 'waiting')
    waiting.sort((a, b) => a.group - b.group || a.place - b.place)
    for (const item of waiting.slice(0, AT_ONCE - sending.size)) send(item)
  }

  /** @param {Item} item */
  async function send(item) {
    const { id, options } = item
    const { signal } = sending.set(id, new AbortController()).get(id) ?? new AbortController()
    note(id, { phase: 'uploading', sent: 0, upload: undefined, trouble: undefined })
    try {
      const file = files.get(id) ?? (await keep.keptBlob(id, 'file'))
      if (!file) return note(id, { phase: 'lost' })
      const name = plainName(item.name)
      const product = item.product === 'faces' ? item.product : undefined // the others start by the name's end
      const body = { name, bytes: file.size, media_type: mediaType(/** @type {File} */ (file)), product, options }
      const form = await ask('POST', '/uploads', { body, key: `${id}-${item.tries}`, signal })
      note(id, { upload: form.id, key: form.key, product: form.product })
      let shown = 0
      await sendForm(form, file, name, {
        signal,
        onSent(share) {
          if (Date.now() - shown < SHOWN_EVERY_MS) return
          shown = Date.now()
          store.change(id, { sent: share })
        },
      })
      note(id, { phase: 'running', sent: 1, job: undefined, tasks: [] })
      keep.dropBlob(id, 'file')
    } catch (error) {
      if (!signal.aborted) notSent(item, error)
    } finally {
      sending.delete(id)
      wake()
    }
  }

  /** @param {Item} item @param {unknown} error */
  function notSent({ id, tries }, error) {
    if (error instanceof Away) {
      note(id, { phase: 'waiting', sent: 0, tries: tries + 1 })
      service.lost()
    } else if (error instanceof Problem && error.status === 429) {
      note(id, { phase: 'waiting', tries: tries + 1 })
      service.limit(error)
    } else if (error instanceof Problem) {
      note(id, { phase: 'refused', trouble: error.trouble })
    } else if (error instanceof Stopped && (tries + 1) % MOST_TRIES) {
      note(id, { phase: 'waiting', sent: 0, tries: tries + 1 }) // with another form
    } else if (error instanceof Stopped) {
      const trouble = { name: 'UploadStopped', title: '', detail: '', hint: '', id: error.code, again: true }
      note(id, { phase: 'refused', trouble, tries: tries + 1 })
    } else {
      throw error
    }
  }

  /** @param {Item} item @param {Blob} file Show it, and keep what is needed after a reload. */
  async function picture(item, file) {
    if (!isPhoto(item.product)) return // a browser would read all of a film to find no picture
    const found = await smaller(file)
    if (!found || !store.item(item.id)) return
    const { width, height, photo, thumb } = found
    keep.keepBlob(item.id, 'photo', photo)
    keep.keepBlob(item.id, 'thumb', thumb)
    note(item.id, { width, height, thumb: URL.createObjectURL(thumb) })
  }

  return {
    probe: service.probe,

    /** @param {File[]} given @param {Wanted} photos what is made of those that are photos */
    async add(given, photos) {
      const group = Date.now()
      /** @type {Item[]} */
      const items = []
      for (const [place, file] of given.entries()) {
        const id = crypto.randomUUID()
        const trouble = (await objection(file)) ?? undefined
        const phase = !trouble ? 'waiting' : trouble.name === 'NoMedia' ? 'skipped' : 'refused'
        const { name, size: bytes, type } = file
        const by = productOf(file)
        const { product, options } = isPhoto(by) ? photos : { product: by, options: {} }
        items.push({ id, name, bytes, type, product, group, place, phase, options, trouble, sent: 0, tries: 0 })
        if (!trouble) files.set(id, file)
      }
      store.set({ items: [...items, ...store.state.items], current: items[0].id, home: true })
      for (const [place, item] of items.entries()) {
        keep.keepItem(item)
        if (item.phase !== 'waiting') continue
        if (item.bytes <= MOST_KEPT) keep.keepBlob(item.id, 'file', given[place])
        picture(item, given[place])
      }
      pump()
    },

    /** @param {string} id @param {File} file the same file again, for an upload that stopped */
    give(id, file) {
      files.set(id, file)
      const { name, size: bytes, type } = file
      const before = store.item(id)?.product
      const product = isPhoto(before) && isPhoto(productOf(file)) ? before : productOf(file)
      note(id, { phase: 'waiting', name, bytes, type, product, sent: 0, tries: (store.item(id)?.tries ?? 0) + 1 })
      if (bytes <= MOST_KEPT) keep.keepBlob(id, 'file', file)
      const item = store.item(id)
      if (item) picture(item, file)
      pump()
    },

    /** @param {string} id */
    async cancel(id) {
      const item = store.item(id)
      sending.get(id)?.abort()
      if (item?.phase === 'running') await jobs.cancel(item)
      else note(id, { phase: 'cancelled' })
    },

    /** @param {string} id */
    async retry(id) {
      const item = store.item(id)
      if (!item) return
      if (item.sent < 1) note(id, { phase: 'waiting', sent: 0, tries: item.tries + 1 })
      else await jobs.replay(item)
      pump()
    },

    again: jobs.again,
    deleteResults: jobs.deleteResults,

    /** @param {string} id @param {Look} look */
    setLook: (id, look) => note(id, { look }),

    /** @param {string} id @param {History} marks */
    setMarks: (id, marks) => note(id, { marks }),

    /** @param {string} id @param {Item['selection']} selection */
    setSelection: (id, selection) => note(id, { selection }),

    /** @param {string} id @param {Blob} photo one that this browser can show @param {Partial<Item>} size upright */
    async showPhoto(id, photo, size) {
      shown.set(id, photo)
      keep.keepBlob(id, 'photo', photo)
      const thumb = (await smaller(photo))?.thumb
      if (thumb) keep.keepBlob(id, 'thumb', thumb)
      note(id, { ...size, shown: true, ...(thumb && { thumb: URL.createObjectURL(thumb) }) })
    },

    /** @param {unknown} error The service did not answer, or takes no more for now: the bar says so. */
    heed(error) {
      if (error instanceof Away) service.lost()
      if (error instanceof Problem && error.status === 429) service.limit(error)
    },

    /** @param {string} id */
    remove(id) {
      sending.get(id)?.abort()
      files.delete(id)
      shown.delete(id)
      keep.forget(id)
      const { items, current } = store.state
      const { job, upload } = store.item(id) ?? {}
      if (job ?? upload) keep.forgetEdits(job ?? upload)
      const at = items.findIndex((each) => each.id === id)
      const left = items.filter((each) => each.id !== id)
      const next = left[Math.min(at, left.length - 1)]?.id ?? null
      store.set({ items: left, current: current === id ? next : current, home: true })
    },

    /** Bring back what was there before a reload. */
    async resume() {
      const kept = await keep.keptItems()
      const { items: added, current } = store.state // files may have come meanwhile
      const items = kept.filter(({ id }) => !store.item(id))
      items.sort((a, b) => b.group - a.group || a.place - b.place)
      store.set({ items: [...added, ...items], current: current ?? items[0]?.id ?? null, home: true })
      for (const item of items) {
        if (item.phase === 'uploading' && !item.upload) note(item.id, { phase: 'waiting' })
      }
      wake()
      for (const { id } of items) {
        for (const kind of /** @type {const} */ (['thumb', 'cut'])) {
          const blob = await keep.keptBlob(id, kind)
          if (blob) store.change(id, { [kind]: URL.createObjectURL(blob) })
        }
      }
    },

    /** @param {string} id @returns {Blob | undefined} the file, if it was given since the page was loaded */
    given: (id) => files.get(id),

    /** @param {string} id @returns {Promise<Blob | undefined>} the photo, or what is kept of it */
    photo: async (id) =>
      isPhoto(store.item(id)?.product) ? shown.get(id) ?? files.get(id) ?? (await keep.keptBlob(id, 'photo')) : undefined,
  }
}
/** @typedef {ReturnType<typeof makeQueue>} Queue */
