/** Why a collection did not do what it was asked for, and what the user can do. */

import { has, t } from '../../../core/i18n.js'
import { titleOf } from '../../../parts/trouble.js'
import { html } from '../../../vendor/htm-preact.js'

/** @import { Trouble } from '../../../core/types' */

/** @param {{ trouble: Trouble, children?: unknown }} given The service's hints name commands: ours come first. */
export function Odd({ trouble, children }) {
  const key = `error.${trouble.name.toLowerCase()}.do`
  const hint = has(key) ? { text: t(key) } : { text: trouble.hint || trouble.detail, lang: 'en' }
  return html`<div class="odd-box" role="alert">
    <b>${titleOf(trouble)}</b>
    ${hint.text && html`<p lang=${hint.lang}>${hint.text}</p>`}
    ${children}
  </div>`
}
