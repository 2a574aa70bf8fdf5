/** The cut-out alone, on its background and in its frame. */

import { t } from '../../core/i18n.js'
import { Missing, Zoomable } from '../../parts/picture.js'
import { html, useEffect, useState } from '../../vendor/htm-preact.js'
import { frameOf } from './finish.js'
import { lookOf, useResult } from './picture.js'

/** @import { Item, Page } from '../../core/types' */
/** @import { Frame } from './finish.js' */

/** @param {{ item: Item, page: Page }} given */
export function CutOut({ item, page }) {
  const { url, blob, error } = useResult(item, page)
  const { background, trim, margin } = lookOf(item, page.store.state.settings)
  const [frame, setFrame] = useState(/** @type {Frame | null} */ (null))
  useEffect(() => {
    if (!blob || !trim) return setFrame(null)
    let gone = false
    frameOf(blob, margin).then((found) => gone || setFrame(found))
    return () => {
      gone = true
    }
  }, [blob, trim, margin])
  if (!url) return html`<${Missing} item=${item} page=${page} error=${error} />`
  const { width = item.width ?? 4, height = item.height ?? 3 } = item.results?.[0] ?? {}
  const shown = frame ?? { x: 0, y: 0, width, height }
  const percent = (/** @type {number} */ share) => `${share * 100}%`
  return html`<${Zoomable} page=${page} width=${shown.width} height=${shown.height}
    look=${background ? '' : 'checker'} style=${{ '--bg': background }}>
    <img class="framed" src=${url} alt=${`${t('result')}: ${item.name}`} style=${{
      left: percent(-shown.x / shown.width), top: percent(-shown.y / shown.height),
      width: percent(width / shown.width), height: percent(height / shown.height),
    }} />
  <//>`
}
