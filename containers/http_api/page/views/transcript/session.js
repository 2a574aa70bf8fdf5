/** All that is known of one transcript while it is open: its words, corrections, names and sounds, and its player. */

import { Problem } from '../../core/api.js'
import { useEffect, useState } from '../../vendor/htm-preact.js'
import { transcriptOf } from './document.js'
import { makeEdits } from './edits.js'
import { makeNames } from './names.js'
import { makePlayer } from './player.js'
import { soundsOf } from './sounds.js'

/** @import { Item, Page } from '../../core/types' */
/** @import { Transcript } from './document.js' */
/** @import { Edits } from './edits.js' */
/** @import { Names } from './names.js' */
/** @import { Sounds } from './sounds.js' */

const MOST_OPEN = 3

/** @type {Map<string, { made: unknown, session: Session }>} latest last */
const sessions = new Map()

/** @param {Item} item @returns {string} */
export const jobOf = ({ job, upload }) => job ?? upload ?? ''

/** @param {Item} item @returns {Session | undefined} that of its results, if they were opened */
export function openSession(item) {
  const found = sessions.get(item.id)
  return found?.made === item.made && found?.session.job === jobOf(item) ? found.session : undefined
}

/** @param {Item} item @param {Page} page */
export function sessionOf(item, page) {
  const session = openSession(item) ?? makeSession(item, page)
  if (sessions.get(item.id)?.session !== session) sessions.get(item.id)?.session.player.close()
  sessions.delete(item.id)
  sessions.set(item.id, { made: item.made, session })
  if (sessions.size > MOST_OPEN) {
    const [oldest, { session: left }] = /** @type {[string, { session: Session }]} */ (sessions.entries().next().value)
    left.player.close()
    sessions.delete(oldest)
  }
  return session
}

/** @param {Item} item @param {Page} page */
function makeSession(item, page) {
  const names = makeNames(item)
  /** @type {Set<() => void>} */
  const listeners = new Set()
  /** @type {Promise<void> | undefined} */
  let loading
  const session = {
    job: jobOf(item),
    player: makePlayer(item, page),
    /** @type {Transcript | undefined} */
    transcript: undefined,
    /** @type {Edits | undefined} */
    edits: undefined,
    /** @type {Names} */
    names: {},
    /** Whether the names are those that the service has. */
    named: false,
    /** @type {Sounds | undefined} */
    sounds: undefined,
    /** @type {Problem | undefined} why the transcript is not there */
    error: undefined,
    /** Begin to fetch it, or try again. */
    load() {
      loading ??= fetchAll().catch((error) => {
        loading = undefined
        if (error instanceof Problem) session.error = error
        else page.queue.probe() // the bar says that the service does not answer
        session.changed()
      })
    },
    /** @param {() => void} listener */
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    changed: () => listeners.forEach((each) => each()),
    /** @param {string} speaker @param {string} name Show it at once, and take it back if it cannot be kept. */
    async rename(speaker, name) {
      const before = session.names
      session.names = { ...before, [speaker]: name }
      session.changed()
      try {
        session.names = await names.give(speaker, name)
        session.named = true
      } catch (error) {
        session.names = { ...session.names, [speaker]: before[speaker] ?? '' }
        throw error
      } finally {
        session.changed()
      }
    },
  }

  async function fetchAll() {
    const { store } = page
    const transcript = await transcriptOf(store, item)
    session.edits = makeEdits(session.job, transcript.digest, transcript.words)
    session.transcript = transcript
    session.changed()
    // Without them, the text can still be read.
    const late = [
      transcript.speakers.length && names.load().then((found) => {
        session.names = { ...found, ...session.names }
        session.named = true
      }),
      item.results?.some(({ kind }) => kind === 'tags') && soundsOf(store, item).then((found) => (session.sounds = found)),
    ]
    for (const each of late) if (each) each.then(session.changed, page.queue.heed)
  }
  return session
}
/** @typedef {ReturnType<typeof makeSession>} Session */

/** @param {{ subscribe: (listener: () => void) => () => void }} source Draw again whenever it changes. */
export function useChanges(source) {
  const [, draw] = useState(0)
  useEffect(() => source.subscribe(() => draw((n) => n + 1)), [source])
}
