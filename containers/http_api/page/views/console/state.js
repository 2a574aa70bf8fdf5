/** What became of one state: how often it was entered, tries, errors, input and output, what it started. */

import { number, t } from '../../core/i18n.js'
import { Select } from '../../parts/controls.js'
import { html, useState } from '../../vendor/htm-preact.js'
import { Cause, Json } from './json.js'
import { to } from './place.js'
import { firstToSee } from './visits.js'
import { Badge, lasted, lengthOf, moment } from './words.js'

/** @import { Page } from '../../core/types' */
/** @import { Seen } from './visits.js' */
/** @import { Visit } from './types' */

/** @param {Visit} visit @param {number} at */
const called = (visit, at) => `${at + 1}. ${t(`c.is.${visit.status}`)}${visit.path ? ` · ${visit.path}` : ''}`

/** @param {{ page: Page, visit: Visit }} given */
const Body = ({ page, visit }) => html`
  <dl class="keyed">
    <dt>${t('c.status')}</dt><dd><${Badge} status=${visit.status} /></dd>
    <dt>${t('c.started')}</dt><dd>${moment(visit.entered_at)}</dd>
    <dt>${t('c.took')}</dt><dd>${lasted(lengthOf(visit))}</dd>
    <dt>${t('c.attempts')}</dt><dd>${number(visit.attempts)}</dd>
    ${visit.path && html`<dt>${t('c.within')}</dt><dd>${visit.path}</dd>`}
  </dl>
  ${visit.child && html`<p><a class="btn soft wide" href=${to('executions', visit.child.machine, visit.child.name)}>${t('c.child', { name: visit.child.machine })}</a></p>`}
  ${visit.errors.length > 0 && html`<section class="errors" aria-label=${t('c.errors')}>
    <h3>${t('c.errors')}</h3>
    <ol>${visit.errors.map(({ error, cause, at }, n) => html`<li key=${n} lang="en"><b>${error}</b> <time class="quiet">${moment(at)}</time>
      ${cause && html`<${Cause} page=${page} text=${cause} />`}</li>`)}</ol>
  </section>`}
  ${visit.shortened && html`<p class="note">${t('c.shortened')}</p>`}
  <${Json} page=${page} title=${t('c.input')} value=${visit.input} />
  <${Json} page=${page} title=${t('c.output')} value=${visit.output} />`

/** @param {{ page: Page, name: string, seen?: Seen }} given */
export function StateSide({ page, name, seen }) {
  const [picked, pick] = useState(-1)
  const visits = seen?.visits ?? []
  const first = firstToSee(visits)
  const visit = visits[picked] ?? first
  return html`<aside class="side" aria-label=${t('c.state')}>
    ${name ? html`<h2>${name}</h2>` : html`<p class="quiet">${t('c.state.choose')}</p>`}
    ${name && !visit && html`<p class="quiet">${t('c.state.not')}</p>`}
    ${visits.length > 1 && html`<${Select} label=${t('c.visits')} value=${visit ? visits.indexOf(visit) : 0}
      choices=${visits.map((each, at) => ({ value: at, text: called(each, at) }))} onChoose=${(/** @type {string} */ at) => pick(Number(at))} />`}
    ${visit && html`<${Body} page=${page} visit=${visit} key=${`${visit.path} ${visit.entered_at}`} />`}
  </aside>`
}
