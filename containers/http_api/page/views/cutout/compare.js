/** The photo and its cut-out, with a seam between them that is moved. */

import { t } from '../../core/i18n.js'
import { useBlob } from '../../parts/controls.js'
import { icon } from '../../parts/icon.js'
import { html, useEffect, useState } from '../../vendor/htm-preact.js'
import { Missing, Zoomable, lookOf, useResult } from './picture.js'
import { pointed } from './purposes.js'

/** @import { Item, Page } from '../../core/types' */

/** @param {{ item: Item, page: Page }} given */
export function Compare({ item, page }) {
  const [split, setSplit] = useState(50)
  const after = useResult(item, page)
  const before = useBlob(() => page.queue.photo(item.id), [item.id, item.shown])
  const [blind, setBlind] = useState(false)
  const [asked, setAsked] = useState(false)
  useEffect(() => setBlind(false), [before.url])
  async function show() {
    setAsked(true)
    const { sessionOf } = await import('./select/session.js')
    await sessionOf(item.id, page).show()
    setAsked(false)
  }
  if (!after.url) return html`<${Missing} item=${item} page=${page} error=${after.error} />`
  const { background } = lookOf(item, page.store.state.settings)
  const { width = item.width ?? 4, height = item.height ?? 3 } = item.results?.[0] ?? {}
  const shows = before.url && !blind
  return html`<${Zoomable} page=${page} width=${width} height=${height}
    look=${`split ${background ? '' : 'checker'}`} style=${{ '--bg': background, '--split': `${split}%` }}>
    <img src=${after.url} alt=${t('after')} />
    ${shows &&
    html`<img class="old" src=${before.url} alt=${t('before')} onError=${() => setBlind(true)} />
      <span class=${`tag l ${split < 22 ? 'gone' : ''}`}>${t('before')}</span>
      <span class=${`tag r ${split > 78 ? 'gone' : ''}`}>${t('after')}</span>
      <span class="seam"></span><span class="grip">${icon('handle')}</span>
      <input type="range" min="0" max="100" value=${split} aria-label=${t('slider')}
        aria-valuetext=${t('slider.value', { p: split })}
        onInput=${(/** @type {any} */ e) => setSplit(e.target.valueAsNumber)} />`}
    ${(before.missing || blind) && html`<span class="pill">${t('no.before')}
      ${pointed(page.store.state.models) && html`<button class="btn soft" type="button" disabled=${asked}
        onClick=${show}>${t('show.before')}</button>`}</span>`}
  <//>`
}
