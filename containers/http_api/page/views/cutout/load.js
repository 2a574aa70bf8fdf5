/** The result of an item, on its way to the stage. */

import { Problem } from '../../core/api.js'
import { t } from '../../core/i18n.js'
import { resultOf } from '../../core/results.js'
import { useBlob } from '../../parts/controls.js'
import { Refused } from '../../parts/trouble.js'
import { html } from '../../vendor/htm-preact.js'

/** @import { Item, Page } from '../../core/types' */

/** @param {Item} item @param {Page} page */
export const useResult = (item, page) =>
  useBlob(() => resultOf(page.store, item), [item.id, item.results?.[0].url.split('?')[0], item.made])

/** @param {{ item: Item, page: Page, error?: unknown }} given While it is not there: why. */
export function Missing({ item, page, error }) {
  if (error instanceof Problem) {
    const trouble = { ...error.trouble, again: Boolean(item.key) }
    return html`<${Refused} item=${{ ...item, trouble }} page=${page} />`
  }
  return html`<div class="canvas"><span class="pill"><i class="spin"></i>${t('res.loading')}</span></div>`
}
