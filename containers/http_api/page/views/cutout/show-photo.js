/** For a photo that this browser cannot decode: the service can show it where a model takes prompts. */

import { t } from '../../core/i18n.js'
import { html, useState } from '../../vendor/htm-preact.js'
import { pointed } from './purposes.js'

/** @import { Item, Page } from '../../core/types' */

/** @param {{ item: Item, page: Page }} given */
export function ShowPhoto({ item, page }) {
  const [asked, setAsked] = useState(false)
  if (!pointed(page.store.state.models)) return null
  async function show() {
    setAsked(true)
    const { sessionOf } = await import('./select/session.js')
    await sessionOf(item.id, page).show()
    setAsked(false)
  }
  return html`<button class="btn soft" type="button" disabled=${asked} onClick=${show}>${t('show.before')}</button>`
}
