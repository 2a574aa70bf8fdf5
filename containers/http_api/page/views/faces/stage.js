/** The photo with its faces. */

import { Problem } from '../../core/api.js'
import { t } from '../../core/i18n.js'
import { chosenOf } from '../../core/settings.js'
import { useBlind, useBlob } from '../../parts/controls.js'
import { icon } from '../../parts/icon.js'
import { Missing, Zoomable } from '../../parts/picture.js'
import { html, useEffect } from '../../vendor/htm-preact.js'
import { modeOf } from '../index.js'
import { ShowPhoto } from '../cutout/show-photo.js'
import { Card } from './card.js'
import { useFaces } from './document.js'
import { findingOf } from './find/asking.js'
import { Best } from './find/candidates.js'
import { Layer } from './layer.js'
import { current, look } from './looking.js'

/** @import { Item, Page } from '../../core/types' */

/** @param {{ item: Item, page: Page }} given */
export function Faces({ item, page }) {
  const { found, error, again } = useFaces(item, page)
  const { url, missing } = useBlob(() => page.queue.photo(item.id), [item.id, item.shown])
  const [blind, onError] = useBlind(url)
  useEffect(() => {
    /** @param {KeyboardEvent} event */
    const onKeyDown = ({ key }) => key === 'Escape' && look(page, item.id, { seen: undefined, held: undefined })
    document.addEventListener('keydown', onKeyDown)
    return () => document.removeEventListener('keydown', onKeyDown)
  }, [item.id])
  if (error && !(error instanceof Problem)) {
    return html`<div class="canvas"><span class="pill" role="alert">${t('res.failed')}
      <button class="btn soft" type="button" onClick=${again}>${t('retry')}</button></span></div>`
  }
  if (!found) return html`<${Missing} item=${item} page=${page} error=${error} />`
  const { width, height, faces } = found
  const place = current(item)
  const finding = modeOf(item, page)?.id === 'search' && findingOf(item, chosenOf(page.store.state)?.name)
  const dark = missing || blind
  const count = faces.length ? t('faces.n', { n: faces.length }) : t('faces.zero')
  return html`<${Zoomable} page=${page} width=${width} height=${height} look="faced">
    ${url && !blind && html`<img src=${url} alt=${`${item.name}: ${count}`} onError=${onError} />`}
    ${dark && html`<span class="blank">${icon('face')}</span>`}
    <${Layer} item=${item} page=${page} found=${found} />
    ${place !== undefined && faces[place] && html`<${Card} found=${found} place=${place}>
      ${finding && html`<${Best} finding=${finding} place=${place} />`}<//>`}
    ${dark
      ? html`<span class="pill">${t('no.photo')} <${ShowPhoto} item=${item} page=${page} /></span>`
      : !faces.length && html`<span class="pill">${t('faces.none')}</span>`}
  <//>`
}
