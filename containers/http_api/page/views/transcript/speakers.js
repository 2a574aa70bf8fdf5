/** The speakers of a recording: their colours, how long each speaks, and their names, which can be written in place. */

import { number, t } from '../../core/i18n.js'
import { titleOf } from '../../parts/trouble.js'
import { html, useState } from '../../vendor/htm-preact.js'

/** @import { Names } from './names.js' */
/** @import { Session } from './session.js' */
/** @import { Word } from './document.js' */

const COLOURS = 8
const MOST_LETTERS = 80 // the API's limit
const BREATH_S = 1 // between words, which is still the same bar

/** @param {string[]} speakers @param {string} speaker @returns {string} the class of its colour */
export const colourOf = (speakers, speaker) => `s${(speakers.indexOf(speaker) % COLOURS) + 1}`

/** @param {string[]} speakers @param {Names} names @param {string} speaker @returns {string} */
export const nameOf = (speakers, names, speaker) => names[speaker] || t('speaker.n', { i: speakers.indexOf(speaker) + 1 })

/** @param {Word[]} words @returns {Map<string, [number, number][]>} when each of them speaks, in seconds */
export function turnsOf(words) {
  /** @type {Map<string, [number, number][]>} */
  const turns = new Map()
  for (const { speaker, start, end } of words) {
    if (!speaker) continue
    const own = turns.get(speaker) ?? []
    const last = own.at(-1)
    if (last && start - last[1] < BREATH_S) last[1] = end
    else own.push([start, end])
    turns.set(speaker, own)
  }
  return turns
}

/** @param {[number, number][]} spans */
const lengthOf = (spans) => spans.reduce((sum, [start, end]) => sum + end - start, 0)

/** @param {{ session: Session }} given */
export function Speakers({ session }) {
  const { transcript, names } = session
  const [told, tell] = useState('')
  if (!transcript?.speakers.length) return null
  const { speakers, words } = transcript
  const lengths = new Map([...turnsOf(words)].map(([speaker, spans]) => [speaker, lengthOf(spans)]))
  const all = [...lengths.values()].reduce((sum, each) => sum + each, 0)
  /** @param {string} speaker @param {HTMLInputElement} field */
  async function rename(speaker, field) {
    const name = field.value.trim()
    field.value = name || names[speaker] || ''
    if (name === (names[speaker] ?? '')) return
    tell('')
    try {
      await session.rename(speaker, name)
    } catch (error) {
      field.value = session.names[speaker] ?? ''
      tell(t('rename.failed', { why: titleOf(/** @type {any} */ (error).trouble) }))
    }
  }
  return html`<section>
    <h2>${t('speakers')}</h2>
    <ul class="who">${speakers.map((speaker, place) => {
      const share = Math.round(((lengths.get(speaker) ?? 0) / (all || 1)) * 100)
      const own = t('speaker.n', { i: place + 1 })
      return html`<li class=${colourOf(speakers, speaker)} key=${speaker}>
        <input type="text" id=${`name-${speaker}`} maxlength=${MOST_LETTERS} autocomplete="off" spellcheck=${false} dir="auto"
          aria-label=${t('speaker.name', { i: place + 1 })} placeholder=${own} value=${names[speaker] ?? ''}
          onChange=${(/** @type {any} */ e) => rename(speaker, e.target)}
          onKeyDown=${(/** @type {any} */ e) => {
            if (e.isComposing) return
            if (e.key === 'Escape') e.target.value = names[speaker] ?? ''
            if (e.key === 'Escape' || e.key === 'Enter') e.target.blur()
          }} />
        <small aria-label=${t('share', { p: share })}>${number(share / 100, { style: 'percent' })}</small>
      </li>`
    })}</ul>
    ${told && html`<p class="note odd" role="alert">${told}</p>`}
  </section>`
}
