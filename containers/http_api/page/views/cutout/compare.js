/** The photo and its cut-out side by side. */

import { later } from '../../parts/controls.js'
import { Missing } from '../../parts/picture.js'
import { Seam } from '../../parts/seam.js'
import { html } from '../../vendor/htm-preact.js'
import { lookOf, useResult } from './picture.js'

/** @import { Item, Page } from '../../core/types' */

const ShowPhoto = later(() => import('./show-photo.js'), 'ShowPhoto')

/** @param {{ item: Item, page: Page }} given */
export function Compare({ item, page }) {
  const { url, error } = useResult(item, page)
  if (!url) return html`<${Missing} item=${item} page=${page} error=${error} />`
  const { background } = lookOf(item, page.store.state.settings)
  const { width = item.width ?? 4, height = item.height ?? 3 } = item.results?.[0] ?? {}
  return html`<${Seam} item=${item} page=${page} after=${url} width=${width} height=${height}
    look=${background ? '' : 'checker'} style=${{ '--bg': background }}><${ShowPhoto} item=${item} page=${page} /><//>`
}
