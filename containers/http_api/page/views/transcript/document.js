/** A transcript as the page works on it: the service's JSON, and its words in one list. */

import { Problem } from '../../core/api.js'
import { resultOf } from '../../core/results.js'

/** @import { Item } from '../../core/types' */
/** @import { Store } from '../../core/store.js' */

/**
 * Times are seconds. `space` is what stands between a word and the one before it; `segment` is the place of its
 * sentence in the JSON.
 * @typedef {{ text: string, start: number, end: number, speaker: string | null, space: string, segment: number, language: string }} Word
 * `digest` is the SHA-256 of the file; `speakers` are in order of appearance.
 * @typedef {{ raw: any, words: Word[], speakers: string[], digest: string }} Transcript
 * Words from `first` to before `last`.
 * @typedef {{ first: number, last: number }} Run
 */

const PAUSE_S = 2 // without a word begin a paragraph
const LONG = 600 // characters after which the next sentence begins one
const ENDS_SENTENCE = /[\p{Sentence_Terminal}…][\p{Pe}\p{Pf}"']*$/u
const NO_SPACES = /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\u3000-\u303f\uff01-\uff60]/u

/** @param {string} text Whether a sentence of any script ends here. */
export const endsSentence = (text) => ENDS_SENTENCE.test(text)

/** @param {string} [character] Whether it is Chinese or Japanese, which have no spaces between words. */
export const hasNoSpaces = (character = '') => NO_SPACES.test(character)

/** @param {string} json @returns {Word[]} */
function wordsOf(json) {
  /** @type {Word[]} */
  const words = []
  for (const [segment, { text = '', words: own = [], language = '', speaker = null }] of JSON.parse(json).segments.entries()) {
    let at = 0
    for (const [place, each] of own.entries()) {
      const said = `${each.word}`
      const found = Math.max(at, text.indexOf(said, at))
      const joined = hasNoSpaces(words.at(-1)?.text.at(-1)) && hasNoSpaces(said[0])
      const space = place ? /\s/.test(text.slice(at, found)) : words.length && !joined
      at = found + said.length
      const start = Number(each.start) || 0
      words.push({ text: said, start, end: Number(each.end) || start, speaker: each.speaker ?? speaker, space: space ? ' ' : '', segment, language })
    }
  }
  return words
}

/** @param {string} json @returns {Word[]} Raises Problem if it is no transcript. */
function readable(json) {
  try {
    return wordsOf(json)
  } catch {
    throw new Problem(422, { type: '#UnreadableTranscript' })
  }
}

/** @param {Store} store @param {Item} item @returns {Promise<Transcript>} Raises Problem if the result is gone. */
export async function transcriptOf(store, item) {
  const bytes = await (await resultOf(store, item, 'transcript')).arrayBuffer()
  const json = new TextDecoder().decode(bytes)
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  const words = readable(json)
  const speakers = /** @type {string[]} */ ([...new Set(words.map((each) => each.speaker))].filter(Boolean))
  return { raw: JSON.parse(json), words, speakers, digest: [...hash].map((each) => each.toString(16).padStart(2, '0')).join('') }
}

/** @param {Word[]} words @param {string[]} texts one a word; '' if it was deleted @returns {string} */
export const joined = (words, texts, { first, last } = { first: 0, last: words.length }) =>
  words.slice(first, last).map(({ space }, i) => texts[first + i] && space + texts[first + i]).join('').trim()

/**
 * A paragraph begins after a long pause, where the language or the speaker changes, and after the sentence that made
 * the one before it long: the rules of the service's own text.
 * @param {Word[]} words @param {string[]} texts @returns {Run[]}
 */
export function paragraphsOf(words, texts) {
  /** @type {Run[]} */
  const found = []
  let first = 0
  let text = ''
  for (const [at, word] of words.entries()) {
    const before = words[at - 1]
    if (before && before.segment !== word.segment) {
      const full = text.trim().length >= LONG && endsSentence(text)
      const other = before.language !== word.language || before.speaker !== word.speaker
      if (full || other || word.start - before.end >= PAUSE_S) {
        found.push({ first, last: at })
        first = at
        text = ''
      }
    }
    text += texts[at] && word.space + texts[at]
  }
  return words.length ? [...found, { first, last: words.length }] : []
}

/** @param {ArrayLike<number>} starts in order @param {number} time @returns {number} the last that has begun; -1 before the first */
export function lastBegun(starts, time) {
  let low = 0
  let high = starts.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (starts[middle] <= time) low = middle + 1
    else high = middle
  }
  return low - 1
}
