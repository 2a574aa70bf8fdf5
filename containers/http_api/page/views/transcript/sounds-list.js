/** What sounds in a recording, as a list: with scores, and a way to hear each. */

import { number, t } from '../../core/i18n.js'
import { html } from '../../vendor/htm-preact.js'

/** @import { Session } from './session.js' */
/** @import { Sound } from './sounds.js' */

/** @param {{ session: Session }} given */
export function Sounds({ session }) {
  const { sounds, player } = session
  if (!sounds?.labels.length) return null
  /** @param {Sound} sound Go to where it sounds next; after the last time, to the first. */
  const hear = ({ spans }) => player.jump((spans.find(([start]) => start > player.time + 0.01) ?? spans[0])[0])
  return html`<section>
    <h2>${t('sounds')}</h2>
    <ul class="heard">${sounds.labels.map((sound) => {
      const label = html`<span lang="en" dir="auto">${sound.label}</span> <small>${number(sound.score, { style: 'percent' })}</small>`
      return html`<li>${sound.spans.length
        ? html`<button type="button" onClick=${() => hear(sound)}>${label}</button>`
        : html`<div>${label}</div>`}</li>`
    })}</ul>
    <p class="note">${t('sounds.what')}</p>
  </section>`
}
