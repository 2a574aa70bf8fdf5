/** All state machines: what each is for, how many run, how the last one ended. */

import { t } from '../../core/i18n.js'
import { html } from '../../vendor/htm-preact.js'
import { useAnswer } from './asking.js'
import { Head, Rest } from './frame.js'
import { to } from './place.js'
import { Badge, moment } from './words.js'

/** @import { Page } from '../../core/types' */
/** @import { MachineRow } from './types' */

const EVERY_MS = 5000

/** @param {{ row: MachineRow }} given */
const Row = ({ row: { name, comment, product, scheduled, running, last } }) => html`<li class="row-of">
  <div class="what"><a class="to" href=${to('machines', name)}>${name}</a><p lang="en">${comment}</p></div>
  <p class="facts">${product && html`<span class="chip-of">${t('c.product', { name: product })}</span>`}
    ${scheduled && html`<span class="chip-of">${t('c.scheduled', { when: scheduled })}</span>`}</p>
  <p class="now">${running > 0 ? html`<span class="badge is-running"><i class="spin"></i>${t('c.running.n', { n: running })}</span>` : html`<span class="quiet">${t('c.running.none')}</span>`}</p>
  <p class="last">${last ? html`<${Badge} status=${last.status} /><span class="quiet">${moment(last.at)}</span>` : html`<span class="quiet">${t('c.never')}</span>`}</p>
</li>`

/** @param {{ page: Page }} given */
export function Machines({ page }) {
  const { answer, problem, again } = useAnswer(page, '/console/machines', () => EVERY_MS)
  /** @type {MachineRow[]} */
  const items = answer?.items ?? []
  return html`<${Head} title=${t('c.machines')} says=${answer && t('c.machines.n', { n: items.length })} />
    <${Rest} ready=${Boolean(answer)} problem=${problem} again=${again}>
      <ul class="rows of-machines">${items.map((row) => html`<${Row} key=${row.name} row=${row} />`)}</ul>
    <//>`
}

