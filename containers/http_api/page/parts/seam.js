/** The photo and what was made of it, with a seam between them that is moved. */

import { t } from '../core/i18n.js'
import { html, useState } from '../vendor/htm-preact.js'
import { useBlind, useBlob } from './controls.js'
import { icon } from './icon.js'
import { Zoomable } from './picture.js'

/** @import { Item, Page } from '../core/types' */

/**
 * @param {{ item: Item, page: Page, after: string, width: number, height: number, look?: string, style?: Record<string, unknown>, children?: unknown }} given
 *   `after` is the result's address; `children` is what can be done if this browser cannot show the photo
 */
export function Seam({ item, page, after, width, height, look = '', style = {}, children }) {
  const [split, setSplit] = useState(50)
  const before = useBlob(() => page.queue.photo(item.id), [item.id, item.shown])
  const [blind, onError] = useBlind(before.url)
  return html`<${Zoomable} page=${page} width=${width} height=${height} look=${`split ${look}`}
    style=${{ ...style, '--split': `${split}%` }}>
    <img src=${after} alt=${t('after')} />
    ${before.url && !blind &&
    html`<img class="old" src=${before.url} alt=${t('before')} onError=${onError} />
      <span class=${`tag l ${split < 22 ? 'gone' : ''}`}>${t('before')}</span>
      <span class=${`tag r ${split > 78 ? 'gone' : ''}`}>${t('after')}</span>
      <span class="seam"></span><span class="grip">${icon('handle')}</span>
      <input type="range" min="0" max="100" value=${split} aria-label=${t('slider')}
        aria-valuetext=${t('slider.value', { p: split })}
        onInput=${(/** @type {any} */ e) => setSplit(e.target.valueAsNumber)} />`}
    ${(before.missing || blind) && html`<span class="pill">${t('no.before')} ${children}</span>`}
  <//>`
}
