/** Corrections of words, kept by the browser for a job and for exactly the transcript that they were made in. */

import { editsOf } from '../../core/keep.js'

/** @import { Word } from './document.js' */

const MOST_LETTERS = 200

/** @param {string} job Whether there are any, without reading the transcript. */
export function hasEdits(job) {
  try {
    return Object.keys(localStorage).some((each) => each.startsWith(editsOf(job)))
  } catch {
    return false // the browser keeps nothing
  }
}

/** @param {string} name @returns {[number, string][]} */
function kept(name) {
  try {
    const found = JSON.parse(localStorage.getItem(name) ?? '[]')
    return found.filter((/** @type {unknown} */ each) => Array.isArray(each) && Number.isInteger(each[0]) && typeof each[1] === 'string')
  } catch {
    return [] // the browser keeps nothing, or something else wrote there
  }
}

/**
 * @param {string} job @param {string} digest of the transcript
 * @param {Word[]} words
 */
export function makeEdits(job, digest, words) {
  const name = `${editsOf(job)}${digest}`
  /** What was done, in order: a word's place, and its text from then on. */
  const log = kept(name).filter(([at]) => at >= 0 && at < words.length)
  const texts = words.map((each) => each.text)
  for (const [at, text] of log) texts[at] = text

  const edits = {
    /** The text of each word as it is now; '' if it was deleted. */
    texts,
    /** Whether a reload finds them again. */
    kept: true,
    get steps() {
      return log.length
    },
    /** @param {number} at Whether the word differs from what the service wrote. */
    changed: (at) => texts[at] !== words[at].text,
    get any() {
      return log.some(([at]) => edits.changed(at))
    },
    /** @param {number} at @param {string} given @returns {boolean} whether it changed anything */
    write(at, given) {
      const text = given.replace(/[\s\p{Cc}]+/gu, ' ').trim().slice(0, MOST_LETTERS)
      if (text === texts[at]) return false
      log.push([at, text])
      texts[at] = text
      keep()
      return true
    },
    /** @returns {number | undefined} the place of the word that is as before */
    undo() {
      const [at] = log.pop() ?? []
      if (at === undefined) return undefined
      texts[at] = log.findLast((each) => each[0] === at)?.[1] ?? words[at].text
      keep()
      return at
    },
  }
  function keep() {
    try {
      if (log.length) localStorage.setItem(name, JSON.stringify(log))
      else localStorage.removeItem(name)
      edits.kept = true
    } catch {
      edits.kept = false
    }
  }
  return edits
}
/** @typedef {ReturnType<typeof makeEdits>} Edits */
