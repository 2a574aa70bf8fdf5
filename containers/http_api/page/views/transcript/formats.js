/** Write a corrected transcript in the service's formats. */

import { joined, paragraphsOf } from './document.js'
import { cuesOf, readCues } from './cues.js'

/** @import { Transcript } from './document.js' */
/** @import { Cue } from './cues.js' */
/** @import { Names } from './names.js' */

/** `texts` are the words as they are now, '' if deleted; `names` those that were given to speakers. @typedef {{ transcript: Transcript, texts: string[], names: Names }} Version */

const RIGHT_TO_LEFT = ['ar', 'fa', 'he', 'ps', 'sd', 'ur', 'yi']

/** @param {Version} version @returns {(speaker: string | null) => string | null} */
const calling = ({ names }) => (speaker) => (speaker && names[speaker]) || speaker

/** @param {Version} version @returns {(speaker: string | null) => string} what text and SubRip begin with, once there are names */
function labelling(version) {
  const call = calling(version)
  const named = version.transcript.speakers.some((each) => version.names[each])
  return (speaker) => (named && speaker ? `${call(speaker)}: ` : '')
}

/** @param {Version} version */
function json(version) {
  const { transcript, texts } = version
  const { raw, words } = transcript
  const call = calling(version)
  let at = 0
  const segments = raw.segments.flatMap((/** @type {any} */ segment) => {
    const first = at
    const own = (segment.words ?? []).flatMap((/** @type {any} */ word) => {
      const text = texts[at++]
      return text ? [{ ...word, word: text, speaker: call(word.speaker ?? null) }] : []
    })
    const unchanged = words.slice(first, at).every(({ text }, i) => text === texts[first + i])
    const text = unchanged ? segment.text : joined(words, texts, { first, last: at })
    return own.length ? [{ ...segment, text, speaker: call(segment.speaker ?? null), words: own }] : []
  })
  const all = segments.flatMap((/** @type {any} */ each) => each.words)
  return `${JSON.stringify({ ...raw, segments, word_segments: all })}\n`
}

/** @param {Version} version */
function text(version) {
  const { transcript: { words }, texts } = version
  const label = labelling(version)
  const paragraphs = paragraphsOf(words, texts).flatMap((run) => {
    const said = joined(words, texts, run)
    return said ? [label(words[run.first].speaker) + said] : []
  })
  return paragraphs.length ? `${paragraphs.join('\n\n')}\n` : ''
}

/** @param {number} ms @param {string} point */
function clock(ms, point) {
  const two = (/** @type {number} */ value) => `${Math.floor(value)}`.padStart(2, '0')
  return `${two(ms / 3_600_000)}:${two((ms / 60_000) % 60)}:${two((ms / 1000) % 60)}${point}${`${ms % 1000}`.padStart(3, '0')}`
}

/** @param {Cue} cue Players need the marks around lines from right to left. */
const linesOf = ({ lines, language }) =>
  (RIGHT_TO_LEFT.includes(language) ? lines.map((each) => `\u202b${each}\u202c`) : lines).join('\n')

/** @param {string} given */
const escaped = (given) => given.replace(/[&<>]/g, (each) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[each] ?? '')

/** @param {Version} version @param {string} before the service's own */
function srt(version, before) {
  const { transcript: { words }, texts } = version
  const cues = cuesOf(readCues(before, 'srt'), words, texts, labelling(version))
  return cues.map((cue, n) => `${n + 1}\n${clock(cue.start, ',')} --> ${clock(cue.end, ',')}\n${linesOf(cue)}\n`).join('\n')
}

/** @param {Version} version @param {string} before the service's own */
function vtt(version, before) {
  const { transcript: { words }, texts } = version
  const call = calling(version)
  const cues = cuesOf(readCues(before, 'vtt'), words, texts, () => '')
  const blocks = cues.map((cue) => {
    const voice = cue.speaker ? `<v ${escaped(call(cue.speaker) ?? '')}>` : ''
    return `${clock(cue.start, '.')} --> ${clock(cue.end, '.')}\n${voice}${escaped(linesOf(cue))}\n`
  })
  return ['WEBVTT\n', ...blocks].join('\n')
}

/** How each kind of file is written: from a version, and from the service's own file. @type {Record<string, (version: Version, before: string) => string>} */
export const FORMATS = { transcript: json, srt, vtt, text }
