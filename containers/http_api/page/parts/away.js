/** The bar that says that the service does not answer, takes no more for now, or got nothing to do. */

import { clock, t } from '../core/i18n.js'
import { html, useEffect, useState } from '../vendor/htm-preact.js'
import { icon } from './icon.js'

/** @import { Page } from '../core/types' */

/** @param {{ page: Page }} given */
export function AwayBar({ page }) {
  const { away, limited, notice } = page.store.state
  const [, tick] = useState(0)
  useEffect(() => {
    if (!away) return undefined
    const timer = setInterval(() => tick((n) => n + 1), 1000)
    return () => clearInterval(timer)
  }, [away])
  const left = away ? Math.ceil((away.until - Date.now()) / 1000) : 0
  return html`<aside class="aways" aria-label=${t('notice')}>
    <p class="sr" role="alert">${away ? t('offline.now') : notice}</p>
    ${away &&
    html`<div class="away">${icon('cloudoff')}
      <p>${left > 0 ? t('offline', { s: left }) : t('offline.now')}</p>
      <button class="btn soft" type="button" onClick=${page.queue.probe}>${t('now')}</button></div>`}
    ${limited && !away &&
    html`<div class="away">${icon('alert')}<p>${t('limit', { time: clock(limited.until), words: limited.words })}</p>
      <button class="btn soft" type="button" onClick=${page.queue.probe}>${t('now')}</button></div>`}
    ${notice && !away &&
    html`<div class="away">${icon('alert')}<p aria-hidden="true">${notice}</p>
      <button class="ib" type="button" aria-label=${t('close')} onClick=${() => page.store.set({ notice: '' })}>${icon('close')}</button></div>`}
  </aside>`
}
