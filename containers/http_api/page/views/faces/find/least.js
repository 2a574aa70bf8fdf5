/** The least similarity that is shown. It hides what is below; below the collection's own limit, nothing is shown. */

import { t } from '../../../core/i18n.js'
import { html } from '../../../vendor/htm-preact.js'
import { figure, hundredths } from './words.js'

/** @import { Finding, Item, Page, Searched } from '../../../core/types' */

/** @param {{ item: Item, page: Page, finding: Finding, answer: Searched }} given */
export function Least({ item, page, finding, answer: { threshold } }) {
  const { least = threshold } = finding
  const from = hundredths(threshold)
  const change = (/** @type {any} */ event) =>
    page.store.change(item.id, { finding: { ...finding, least: Number(event.target.value) } })
  return html`<section>
    <h2>${t('least')}<span aria-hidden="true">${figure(least)}</span></h2>
    <input class="slider wide" type="range" min=${from} max="1" step="0.01" value=${least} aria-label=${t('least')}
      aria-valuetext=${t('least.value', { s: figure(least) })} aria-describedby="least-why"
      style=${{ '--at': `${((least - from) / (1 - from || 1)) * 100}%` }} onInput=${change} />
    <p class="note" id="least-why">${t('least.why', { s: figure(threshold) })}</p>
  </section>`
}
