/** What can be done with the open file: of a running job, its steps; of a result, its view's own. */

import { seconds, t } from '../core/i18n.js'
import { html } from '../vendor/htm-preact.js'
import { modeOf, spent, stepOf, viewOf } from '../views/index.js'
import { icon } from './icon.js'

/** @import { Item, Page } from '../core/types' */

/** @param {{ item: Item, page: Page }} given */
function Progress({ item, page }) {
  const { steps, index } = stepOf(item)
  const runs = item.phase === 'running'
  return html`<aside class="inspector" aria-label=${t('progress')}>
    <section>
      <h2>${t('progress')}${runs && html`<span>${t('step', { i: index + 1, total: steps.length })}</span>`}</h2>
      <ol class="tasks">
        ${steps.map(({ id, states }, at) => {
          const place = !runs ? '' : at < index ? 'done' : at === index ? 'now' : ''
          const ms = spent(item, states)
          return html`<li class=${place} aria-current=${place === 'now' ? 'step' : undefined}>
            <span class="dot">${place === 'done' ? icon('check', 's') : place === 'now' && html`<i class="spin"></i>`}</span>
            <span>${t(`task.${id}`)}</span>
            <span class="quiet">${runs && ms > 0 && `${seconds(ms)} s`}</span>
          </li>`
        })}
      </ol>
    </section>
    <div class="end"><button class="btn soft" type="button" disabled=${item.asking} onClick=${() => page.queue.cancel(item.id)}>${t('cancel')}</button></div>
  </aside>`
}

/** @param {{ page: Page }} given */
export function Inspector({ page }) {
  const item = page.store.item(page.store.state.current)
  if (!item) return null
  if (['waiting', 'uploading', 'running'].includes(item.phase)) return html`<${Progress} item=${item} page=${page} />`
  const mode = modeOf(item, page)
  if (!mode) return null
  const part = mode.Inspector ?? viewOf(item).Inspector
  return html`<${part} item=${item} page=${page} key=${item.id} />`
}
