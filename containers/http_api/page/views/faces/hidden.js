/** The photo, and its copy in which the faces are hidden. */

import { resultOf } from '../../core/results.js'
import { useBlob } from '../../parts/controls.js'
import { Missing } from '../../parts/picture.js'
import { Seam } from '../../parts/seam.js'
import { html } from '../../vendor/htm-preact.js'
import { ShowPhoto } from '../cutout/show-photo.js'
import { useFaces } from './document.js'

/** @import { Item, Page } from '../../core/types' */

/** @param {{ item: Item, page: Page }} given */
export function Hidden({ item, page }) {
  const { found, error: odd } = useFaces(item, page)
  const result = item.results?.find(({ kind }) => kind === 'redacted')
  const { url, error } = useBlob(() => resultOf(page.store, item, 'redacted'), [item.id, result?.url.split('?')[0], item.made])
  if (!url || !found) return html`<${Missing} item=${item} page=${page} error=${error ?? odd} />`
  return html`<${Seam} item=${item} page=${page} after=${url} width=${found.width} height=${found.height}>
    <${ShowPhoto} item=${item} page=${page} /><//>`
}
