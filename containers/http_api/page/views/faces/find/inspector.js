/** Find the photo's faces in a collection: which one, who is similar, and what can be changed. */

import { number, t } from '../../../core/i18n.js'
import { Select } from '../../../parts/controls.js'
import { icon } from '../../../parts/icon.js'
import { html } from '../../../vendor/htm-preact.js'
import { useFaces } from '../document.js'
import { asked } from '../options.js'
import { findingOf, isAsked, search } from './asking.js'
import { Candidates } from './candidates.js'
import { useCollections } from './collections.js'
import { Least } from './least.js'
import { Manage } from './manage.js'
import { Odd } from './trouble.js'
import { embedded } from './vectors.js'

/** @import { Collection, Finding, Item, Page } from '../../../core/types' */
/** @import { Found } from '../document.js' */

/** @param {{ page: Page, chosen: Collection }} given */
function About({ page, chosen }) {
  const { collections = [] } = page.store.state
  const { name, purpose, legal_basis: basis, retention_days: days, vectors } = chosen
  return html`<section>
    <h2>${t('search.title')}</h2>
    <${Select} label=${t('collection')} value=${name} choices=${collections.map((each) => ({ value: each.name, text: each.name }))}
      onChoose=${(/** @type {string} */ collection) => page.store.set({ collection })} />
    <dl class="keyed">
      <dt>${t('purpose')}</dt><dd>${purpose}</dd>
      <dt>${t('basis')}</dt><dd>${basis}</dd>
      <dt>${t('retention')}</dt><dd>${t('days', { n: days })}</dd>
      <dt>${t('vectors')}</dt><dd>${number(vectors)}</dd>
    </dl>
  </section>`
}

/** @param {{ item: Item, page: Page, found: Found, finding: Finding }} given */
function Results({ item, page, found, finding }) {
  const { answer } = finding
  if (!answer) return null
  return html`<section>
      <h2>${t('candidates')}<span>${t('searched', { n: answer.searched })}</span></h2>
      <p class="note first">${t('candidates.note')} ${t('noted')}</p>
    </section>
    ${answer.queries.some(({ matches }) => matches.length) && html`<${Least} item=${item} page=${page} finding=${finding} answer=${answer} />`}
    <section><${Candidates} item=${item} page=${page} found=${found} finding=${finding} /></section>`
}

/** @param {{ item: Item, page: Page }} given */
export function Inspector({ item, page }) {
  const chosen = useCollections(page)
  const { found, error } = useFaces(item, page)
  if (error || !found || !chosen) return html`<aside class="inspector" aria-label=${t('search.title')}></aside>`
  const finding = findingOf(item, chosen.name)
  const busy = isAsked(finding)
  const make = () => page.queue.again(item.id, asked({ ...item.options, embed: true, embedder: chosen.model }))
  const Make = html`<button class="btn soft wide" type="button" onClick=${make}>${t('search.make')}</button>`
  return html`<aside class="inspector find-in" aria-label=${t('search.title')}>
    <${About} page=${page} chosen=${chosen} />
    ${!embedded(item) && html`<section><p>${t('search.novectors')}</p><p class="note">${t('search.lawful')}</p>${Make}</section>`}
    ${finding?.trouble && html`<section><${Odd} trouble=${finding.trouble}>
      ${['embeddingmismatch', 'novectors'].includes(finding.trouble.name) && Make}<//></section>`}
    ${finding && html`<${Results} item=${item} page=${page} found=${found} finding=${finding} />`}
    ${chosen.may.includes('manage') &&
    html`<${Manage} item=${item} page=${page} collection=${chosen} key=${chosen.name} />`}
    ${embedded(item) && html`<div class="end">
      <p class="told">${t('audited')}</p>
      <button class="btn primary" type="button" aria-disabled=${busy ? 'true' : undefined} onClick=${() => search(page, item, chosen.name)}>
        ${busy ? html`<i class="spin"></i>` : icon('search')}${t(busy ? 'search.now' : 'search.do')}</button>
    </div>`}
  </aside>`
}
