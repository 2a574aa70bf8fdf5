/** The containers: what version is live, how the last release went, which models run in it. */

import { number, t } from '../../core/i18n.js'
import { html } from '../../vendor/htm-preact.js'
import { useAnswer } from './asking.js'
import { Head, Rest } from './frame.js'
import { to } from './place.js'
import { moment } from './words.js'

/** @import { Page } from '../../core/types' */
/** @import { ContainerRow } from './types' */

/** @param {{ row: ContainerRow }} given */
const Row = ({ row: { name, version, live, last_release: last, models } }) => html`<li class="row-of">
  <div class="what"><b>${name}</b><p class="quiet">${version && t('c.version', { version })}</p></div>
  <p class="now">${live ? html`<span>${t('c.live', { version: live.version })}</span><span class="quiet">${[moment(live.at), live.digest.slice(0, 19)].filter(Boolean).join(' · ')}</span>`
    : html`<span class="quiet">${t('c.live.none')}</span>`}</p>
  <p class="last">${last ? html`<a class="to" href=${to('executions', 'release-container', last.name)}>${last.status}</a>
      <span class="quiet">${moment(last.at)}</span>${last.error && html`<span class="odd" lang="en">${last.error}</span>`}`
    : html`<span class="quiet">${t('c.release.none')}</span>`}</p>
  ${models.length > 0 && html`<details class="models"><summary>${t('c.models.n', { n: models.length })}</summary><ul>${models.map((model) => html`<li key=${model.name}>
    <b>${model.name}</b> <span class="quiet">${model.compute} · ${number(model.memory_mb)} MB${model.job && ` · ${model.job}`}</span></li>`)}</ul></details>`}
</li>`

/** @param {{ page: Page }} given */
export function Containers({ page }) {
  const { answer, problem, again } = useAnswer(page, '/console/containers', () => 30_000)
  return html`<${Head} title=${t('c.containers')} />
    <${Rest} ready=${Boolean(answer)} problem=${problem} again=${again}>
      <ul class="rows of-containers">${(answer?.items ?? []).map((/** @type {ContainerRow} */ row) => html`<${Row} key=${row.name} row=${row} />`)}</ul>
    <//>`
}
