/** The states of an execution in time: one bar for each time that a state was entered. */

import { t } from '../../core/i18n.js'
import { html, useState } from '../../vendor/htm-preact.js'
import { lasted, lengthOf, sign } from './words.js'

/** @import { Execution, Visit } from './types' */

const MOST = 200

/** @param {Execution} execution @returns {{ visit: Visit, from: number, share: number }[]} in fractions of its time, the earliest first */
export function barsOf(execution) {
  const begin = Date.parse(execution.started_at)
  const whole = Math.max(1, lengthOf(execution), ...execution.states.map((each) => Date.parse(each.entered_at) - begin + lengthOf(each)))
  return execution.states
    .map((visit) => ({ visit, from: Math.min(1, Math.max(0, (Date.parse(visit.entered_at) - begin) / whole)), share: Math.min(1, lengthOf(visit) / whole) }))
    .toSorted((a, b) => a.from - b.from)
}

/** @param {{ execution: Execution, chosen: string, onChoose: (id: string) => void }} given */
export function Timeline({ execution, chosen, onChoose }) {
  const [most, show] = useState(MOST)
  const bars = barsOf(execution)
  return html`<ol class="timeline" aria-label=${t('c.tab.timeline')}>
    ${bars.slice(0, most).map(({ visit, from, share }) => html`<li key=${`${visit.path} ${visit.name} ${visit.entered_at}`}>
      <button class=${`bar-of is-${visit.status}`} type="button" aria-pressed=${visit.name === chosen ? 'true' : 'false'} onClick=${() => onChoose(visit.name)}>
        <span class="who">${sign(visit.status)}<b>${visit.name}</b>${visit.path && html`<small>${visit.path}</small>`}</span>
        <span class="track" aria-hidden="true" style=${{ '--from': from, '--share': share }}><i></i></span>
        <span class="length">${lasted(lengthOf(visit))}<span class="sr"> ${t(`c.is.${visit.status}`)}</span></span>
      </button></li>`)}
  </ol>
  ${bars.length > most && html`<button class="btn soft" type="button" onClick=${() => show(most + MOST)}>${t('c.more')}</button>`}`
}
