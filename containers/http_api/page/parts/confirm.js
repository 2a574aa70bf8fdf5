/** Ask before something is changed, and say what happens. */

import { t } from '../core/i18n.js'
import { html, useEffect, useRef } from '../vendor/htm-preact.js'

/** @param {{ title: string, says: string[], yes: string, onYes: () => void, onEnd: () => void, ready?: boolean, stays?: boolean, children?: unknown }} given */
export function Confirm({ title, says, yes, onYes, onEnd, ready = true, stays, children }) {
  const dialog = useRef(/** @type {any} */ (null))
  useEffect(() => dialog.current.showModal(), [])
  const close = () => dialog.current.close()
  return html`<dialog class="confirm" ref=${dialog} aria-labelledby="confirm-title" aria-describedby="confirm-says" onClose=${onEnd}>
    <h2 id="confirm-title">${title}</h2>
    <div id="confirm-says">${says.map((each) => html`<p>${each}</p>`)}</div>
    ${children}
    <div class="act">
      <button class="btn soft" type="button" autofocus onClick=${close}>${t('cancel')}</button>
      <button class="btn primary" type="button" disabled=${!ready} onClick=${() => (stays || close(), onYes())}>${yes}</button>
    </div>
  </dialog>`
}
