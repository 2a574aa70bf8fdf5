/** Read the sounds of a recording and their times, and list them with scores and a way to hear each. */

import { number as written, t } from '../../core/i18n.js'
import { resultOf } from '../../core/results.js'
import { html } from '../../vendor/htm-preact.js'

/** @import { Item } from '../../core/types' */
/** @import { Store } from '../../core/store.js' */
/** @import { Session } from './session.js' */

/**
 * Times are seconds, in order; `score` is the greatest probability of the label at any time.
 * @typedef {{ label: string, score: number, spans: [number, number][] }} Sound
 * The mean probabilities of speech and music.
 * @typedef {{ start: number, end: number, speech: number, music: number }} Step
 * @typedef {{ labels: Sound[], steps: Step[] }} Sounds the labels best first
 */

const number = (/** @type {unknown} */ given) => Number(given) || 0

/** @param {Store} store @param {Item} item @returns {Promise<Sounds>} */
export async function soundsOf(store, item) {
  const { predictions = [], spans = [], timeline = [] } = JSON.parse(await (await resultOf(store, item, 'tags')).text())
  /** @type {Map<string, Sound>} */
  const found = new Map()
  for (const { label, score } of predictions) found.set(`${label}`, { label: `${label}`, score: number(score), spans: [] })
  for (const { label, start, end } of spans) found.get(`${label}`)?.spans.push([number(start), number(end)])
  const steps = timeline.map((/** @type {any} */ each) => ({
    start: number(each.start), end: number(each.end), speech: number(each.speech), music: number(each.music),
  }))
  return { labels: [...found.values()], steps }
}

/** @param {{ session: Session }} given */
export function Sounds({ session }) {
  const { sounds, player } = session
  if (!sounds?.labels.length) return null
  /** @param {Sound} sound Go to where it sounds next; after the last time, to the first. */
  const hear = ({ spans }) => player.jump((spans.find(([start]) => start > player.time + 0.01) ?? spans[0])[0])
  return html`<section>
    <h2>${t('sounds')}</h2>
    <ul class="heard">${sounds.labels.map((sound) => {
      const label = html`<span lang="en" dir="auto">${sound.label}</span> <small>${written(sound.score, { style: 'percent' })}</small>`
      return html`<li>${sound.spans.length
        ? html`<button type="button" onClick=${() => hear(sound)}>${label}</button>`
        : html`<div>${label}</div>`}</li>`
    })}</ul>
    <p class="note">${t('sounds.what')}</p>
  </section>`
}
