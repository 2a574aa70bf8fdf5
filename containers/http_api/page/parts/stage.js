/** The one file that is open: its heading, and what its state calls for. */

import { size, span, t } from '../core/i18n.js'
import { html, useEffect, useRef, useState } from '../vendor/htm-preact.js'
import { modeOf, modesOf, stepOf, viewOf } from '../views/index.js'
import { Bar, useBlob } from './controls.js'
import { icon } from './icon.js'
import { Menu } from './menu.js'
import { Refused } from './trouble.js'

/** @import { Item, Page } from '../core/types' */

/** @param {Item} item */
function facts({ width, height, bytes, type, name, made }) {
  const [, image] = /^image\/([^+]*)/.exec(type) ?? []
  const kind = image ?? /\.(\w{1,8})$/.exec(name)?.[1] ?? ''
  return [width && `${width} × ${height}`, made?.duration && span(made.duration), size(bytes), kind.toUpperCase()].filter(Boolean).join(' · ')
}

/** @param {{ item: Item, page: Page }} given */
function Working({ item, page }) {
  const { url } = useBlob(() => page.queue.photo(item.id), [item.id])
  const [blind, setBlind] = useState(false)
  const text =
    item.phase === 'waiting' ? t('waiting')
    : item.phase === 'uploading' ? t('uploading', { pct: Math.round(item.sent * 100) })
    : stepOf(item).text
  return html`<div class="canvas">
    <div class=${`pic ${item.phase === 'running' ? '' : 'wait'}`} style=${{ '--w': item.width ?? 4, '--h': item.height ?? 3 }}>
      ${url && !blind ? html`<img src=${url} alt=${item.name} onError=${() => setBlind(true)} />` : html`<span class="blank">${icon(viewOf(item).icon)}</span>`}
      <span class="veil"></span>
      <span class="pill"><i class=${item.phase === 'waiting' ? 'still' : 'spin'}></i>${text}</span>
      ${item.phase === 'uploading' && html`<${Bar} share=${item.sent} label=${item.name} />`}
    </div>
  </div>`
}

/** @param {{ item: Item, page: Page }} given */
const Aside = ({ item, page }) => html`<div class="canvas">
  <div class="sorry">
    ${item.thumb && html`<div class="shot grey"><img src=${item.thumb} alt="" /></div>`}
    <h2>${item.phase === 'lost' ? t('again.file', { name: item.name }) : t(item.phase)}</h2>
    <div class="act">
      ${item.phase === 'lost'
        ? html`<button class="btn primary" type="button" onClick=${() => page.choose({ give: item.id })}>${t('choose')}</button>`
        : item.phase !== 'skipped' &&
          html`<button class="btn primary" type="button" onClick=${() => page.queue.retry(item.id)}>${t('retry')}</button>`}
      <button class="btn soft" type="button" onClick=${() => page.queue.remove(item.id)}>${t('remove')}</button>
    </div>
  </div>
</div>`

/** @param {{ item: Item, page: Page }} given */
function Modes({ item, page }) {
  const modes = modesOf(item, page)
  const mode = modeOf(item, page)?.id
  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (!step) return
    const now = modeOf(item, page)?.id // not `mode`: keys may be faster than the page is drawn
    const at = modes.findIndex((each) => each.id === now)
    const next = modes[(at + step + modes.length) % modes.length].id
    page.store.set({ mode: next, zoom: 0 })
    document.getElementById(`mode-${next}`)?.focus()
  }
  return html`<div class="seg" role="tablist" aria-label=${t('modes')} onKeyDown=${onKeyDown}>
    ${modes.map(
      ({ id }) => html`<button type="button" role="tab" id=${`mode-${id}`} aria-selected=${id === mode ? 'true' : 'false'}
        aria-controls="shown" tabindex=${id === mode ? 0 : -1}
        onClick=${() => page.store.set({ mode: id, zoom: 0 })}>${t(id)}</button>`,
    )}
  </div>`
}

/** @param {{ page: Page }} given */
export function Stage({ page }) {
  const item = page.store.item(page.store.state.current)
  const heading = useRef(/** @type {HTMLElement | null} */ (null))
  const opened = useRef(item?.id)
  useEffect(() => {
    if (opened.current !== item?.id && !page.store.state.home) heading.current?.focus()
    opened.current = item?.id
  }, [item?.id])
  if (!item) return html`<main class="stage" id="stage" tabindex="-1"></main>`
  const mode = modeOf(item, page)
  const several = mode && modesOf(item, page).length > 1
  const Other = ['refused', 'skipped'].includes(item.phase) && item.trouble ? Refused
    : ['cancelled', 'deleted', 'lost'].includes(item.phase) ? Aside : Working
  return html`<main class="stage" id="stage" tabindex="-1">
    <header class="stage-head">
      <button class="ib only-small" type="button" aria-label=${t('back')} onClick=${() => page.store.set({ home: true })}>
        ${icon('left')}</button>
      <div class="min"><h1 tabindex="-1" ref=${heading}>${item.name}</h1><p>${facts(item)}</p></div>
      ${several && html`<${Modes} item=${item} page=${page} />`}
      <${Menu} item=${item} page=${page} key=${item.id} />
    </header>
    ${mode
      ? html`<div class="shown" id="shown" role=${several ? 'tabpanel' : undefined}
          aria-labelledby=${several ? `mode-${mode.id}` : undefined}>
          <${mode.Body} item=${item} page=${page} key=${item.id} /></div>`
      : html`<${Other} item=${item} page=${page} key=${item.id} />`}
  </main>`
}
