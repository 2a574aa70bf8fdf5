/**
 * Subtitles of a corrected transcript. A cue of the service's whose words are untouched stays as it is; others are
 * wrapped again, into at most two lines of 42 columns, within the time that they had.
 */

import { endsSentence, hasNoSpaces } from './document.js'

/** @import { Word } from './document.js' */

/**
 * Times are ms. `speaker` and `language` are those of its first word.
 * @typedef {{ start: number, end: number, lines: string[], speaker: string | null, language: string }} Cue
 * @typedef {{ start: number, end: number, lines: string[] }} Written
 * Text that stays on one line; `at` is its word's place.
 * @typedef {{ text: string, space: string, at: number }} Piece
 */

const LINE = 42 // columns
const MOST_MS = 7000
const PAUSE_MS = 1000 // nothing is shown as one across it
const GAP_MS = 83 // two frames of 24 a second
const WIDE = /^[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Hang}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60]/u
const EMBEDS = /[\u202b\u202c]/g // what the service puts around lines from right to left

const clusters = (/** @type {string} */ text) => [...new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text)].map((each) => each.segment)

/** @param {string} text @returns {number} columns: two for a character of East Asia or an emoji */
const width = (text) => clusters(text).reduce((sum, each) => sum + (WIDE.test(each) ? 2 : 1), 0)

/** @param {string} clock @returns {number} ms */
function millisecondsOf(clock) {
  const [hours, minutes, seconds, rest] = clock.split(/[:.,]/).map(Number)
  return ((hours * 60 + minutes) * 60 + seconds) * 1000 + rest
}

/** @param {string} text @param {'srt' | 'vtt'} format @returns {Written[]} the service's own cues */
export function readCues(text, format) {
  const plain = (/** @type {string} */ line) =>
    format === 'srt' ? line : line.replace(/<[^>]*>/g, '').replace(/&(lt|gt|amp);/g, (_, name) => ({ lt: '<', gt: '>', amp: '&' })[/** @type {'lt' | 'gt' | 'amp'} */ (name)])
  return text.split('\n\n').flatMap((block) => {
    const lines = block.split('\n')
    const at = lines.findIndex((each) => each.includes(' --> '))
    if (at < 0) return []
    const [start, end] = lines[at].split(' --> ').map(millisecondsOf)
    return [{ start, end, lines: lines.slice(at + 1).filter(Boolean).map((each) => plain(each).replace(EMBEDS, '')) }]
  })
}

/** @param {string} text Its letters alone: wherever lines are broken, they are the same. */
const letters = (text) => text.replace(/\s/g, '')

/**
 * @param {Written[]} written @param {Word[]} words
 * @returns {{ first: number, last: number, cues: Written[] }[] | undefined} which words each cue has, from `first` to
 *   before `last`; a word that two cues share puts them together. None if the cues are not those of the words.
 */
function matched(written, words) {
  if (letters(written.flatMap(({ lines }) => lines).join('')) !== letters(words.map(({ text }) => text).join(''))) return undefined
  /** @type {{ first: number, last: number, cues: Written[] }[]} */
  const groups = []
  let at = 0
  let left = letters(words[0]?.text ?? '').length // letters of the word that are in no cue yet
  for (const cue of written) {
    const first = at
    const whole = left === letters(words[at]?.text ?? '').length
    let room = letters(cue.lines.join('')).length
    while (room > 0 && at < words.length) {
      const taken = Math.min(room, left)
      room -= taken
      left -= taken
      if (left) break
      at += 1
      left = letters(words[at]?.text ?? '').length
    }
    const last = left === letters(words[at]?.text ?? '').length ? at : at + 1
    const before = groups.at(-1)
    if (whole || !before) groups.push({ first, last, cues: [cue] })
    else {
      before.last = last
      before.cues.push(cue)
    }
  }
  return groups
}

/** @param {Word[]} words @param {string[]} texts @param {number} first @param {number} last @returns {Piece[]} */
function piecesOf(words, texts, first, last) {
  /** @type {Piece[]} */
  const pieces = []
  for (let at = first; at < last; at += 1) {
    for (const [place, text] of texts[at].split(' ').entries()) {
      const space = place ? ' ' : words[at].space
      const before = pieces.at(-1)
      const splits = space || hasNoSpaces(before?.text.at(-1)) || hasNoSpaces(text[0])
      if (!text) continue
      if (before && !splits) before.text += text
      else for (const [n, part] of torn(text).entries()) pieces.push({ text: part, space: n ? '' : space, at })
    }
  }
  return pieces
}

/** @param {string} text @returns {string[]} parts that fit a line */
function torn(text) {
  const parts = ['']
  for (const each of clusters(text)) {
    if (width(parts[parts.length - 1] + each) > LINE) parts.push('')
    parts[parts.length - 1] += each
  }
  return parts
}

/** @param {Piece[]} pieces @param {string} label before the first line @returns {string[] | undefined} one or two lines, as even as can be */
function wrapped(pieces, label) {
  const text = (/** @type {number} */ from, /** @type {number} */ to) => pieces.slice(from, to).map((each) => each.space + each.text).join('').trim()
  const all = label + text(0, pieces.length)
  if (width(all) <= LINE) return [all]
  /** @type {string[] | undefined} */
  let best
  let least = Infinity
  for (let at = label ? 0 : 1; at < pieces.length; at += 1) {
    const lines = [(label + text(0, at)).trim(), text(at, pieces.length)]
    const [upper, lower] = lines.map(width)
    const uneven = Math.abs(upper - lower)
    if (upper > LINE || lower > LINE || uneven >= least) continue
    least = uneven
    best = lines
  }
  return best
}

/**
 * @param {Word[]} words @param {Piece[]} pieces @param {string} label
 * @param {{ start: number, end: number } | undefined} time that they share; without it, that of their words
 * @returns {Cue[]}
 */
function cut(words, pieces, label, time) {
  /** @type {Piece[][]} */
  const runs = []
  for (const piece of pieces) {
    const run = runs.at(-1)
    const [before, word] = [words[run?.at(-1)?.at ?? piece.at], words[piece.at]]
    const long = run && (word.end - words[run[0].at].start) * 1000 > MOST_MS
    const over = run && !time && (endsSentence(run[run.length - 1].text) || (word.start - before.end) * 1000 > PAUSE_MS || long)
    if (run && !over && wrapped([...run, piece], label)) run.push(piece)
    else runs.push([piece])
  }
  const last = time?.end ?? 0
  let start = time?.start ?? 0
  const starts = runs.map(([{ at }], n) => {
    const own = Math.round(words[at].start * 1000)
    if (!time) start = Math.max(start + (n ? 1 : 0), own)
    else if (n) start = own > start && own < last ? own : start + Math.floor((last - start) / (runs.length - n + 1))
    return start
  })
  return runs.map((run, n) => {
    const { speaker, language, end } = words[run[0].at]
    const own = Math.round((words[run[run.length - 1].at].end ?? end) * 1000)
    const following = starts[n + 1]
    const until = following === undefined ? (time?.end ?? Math.max(own, starts[n] + 1)) : following - Math.min(GAP_MS, (following - starts[n]) / 10)
    return { start: starts[n], end: Math.round(time ? until : Math.min(until, Math.max(own, starts[n] + 1))), lines: wrapped(run, label) ?? [label + run[0].text], speaker, language }
  })
}

/**
 * @param {Written[]} written the service's cues
 * @param {Word[]} words @param {string[]} texts as they are now; '' if deleted
 * @param {(speaker: string | null) => string} labelOf what a cue's first line begins with
 * @returns {Cue[]}
 */
export function cuesOf(written, words, texts, labelOf) {
  const groups = matched(written, words)
  if (!groups) return runsOf(words).flatMap(({ first, last }) => cut(words, piecesOf(words, texts, first, last), labelOf(words[first].speaker), undefined))
  return groups.flatMap(({ first, last, cues }) => {
    const { speaker, language } = words[first]
    const label = labelOf(speaker)
    const untouched = words.slice(first, last).every(({ text }, i) => text === texts[first + i])
    const fits = cues.every(({ lines }) => !label || width(label + lines[0]) <= LINE)
    if (untouched && fits) return cues.map(({ lines: [top, ...rest], ...time }) => ({ ...time, lines: [label + top, ...rest], speaker, language }))
    return cut(words, piecesOf(words, texts, first, last), label, { start: cues[0].start, end: cues[cues.length - 1].end })
  })
}

/** @param {Word[]} words @returns {{ first: number, last: number }[]} runs of one speaker in one language */
function runsOf(words) {
  const firsts = words.flatMap((each, at) => {
    const before = words[at - 1]
    return !before || before.speaker !== each.speaker || before.language !== each.language ? [at] : []
  })
  return firsts.map((first, n) => ({ first, last: firsts[n + 1] ?? words.length }))
}
