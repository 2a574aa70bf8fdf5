/** What is said in a recording, to be read. */

import { Problem } from '../../core/api.js'
import { t } from '../../core/i18n.js'
import { resultOf } from '../../core/results.js'
import { styled } from '../../parts/controls.js'
import { Refused } from '../../parts/trouble.js'
import { html, useEffect, useState } from '../../vendor/htm-preact.js'

/** @import { Item, Page } from '../../core/types' */

await styled('css/transcript.css')

/** @param {{ item: Item, page: Page }} given */
export function Text({ item, page }) {
  const [found, setFound] = useState(/** @type {{ text?: string, error?: unknown }} */ ({}))
  useEffect(() => {
    let gone = false
    setFound({})
    resultOf(page.store, item, 'text').then((blob) => blob.text()).then(
      (text) => gone || setFound({ text }),
      (error) => gone || setFound({ error }),
    )
    return () => {
      gone = true
    }
  }, [item.id, item.made])
  const { text, error } = found
  if (error instanceof Problem) {
    const trouble = { ...error.trouble, again: Boolean(item.key) }
    return html`<${Refused} item=${{ ...item, trouble }} page=${page} />`
  }
  if (text === undefined) return html`<div class="canvas"><span class="pill"><i class="spin"></i>${t('res.loading')}</span></div>`
  const language = item.options.translate ? 'en' : item.made?.languages?.[0]
  return html`<div class="said" role="region" tabindex="0" aria-label=${t('text')}>
    <article lang=${text ? language : undefined}>
      ${text ? text.trim().split('\n\n').map((each) => html`<p>${each}</p>`) : html`<p class="quiet">${t('silent')}</p>`}
    </article></div>`
}
