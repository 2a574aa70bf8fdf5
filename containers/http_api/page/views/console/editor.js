/** A field for JSON: lines are numbered, and what is wrong is said at its line. */

import { t } from '../../core/i18n.js'
import { icon } from '../../parts/icon.js'
import { html, useRef } from '../../vendor/htm-preact.js'
import { read, spotsAt } from './locate.js'

/** @import { Problem } from '../../core/api.js' */

const MOST_FAULTS = 50 // who wrote more of them begins with these

/** @typedef {{ pointer: string, text: string }} Fault what is wrong with a value, by its JSON pointer */

/** @param {Problem} problem @returns {Fault[]} what the service says about single values */
export const faultsOf = ({ errors }) =>
  errors.map(({ field = '', detail }) => ({ pointer: `/${field.replaceAll('.', '/')}`.replace(/^\/body(\/(input|options)(?=\/|$))?/, ''), text: detail }))

/** @param {string} text @param {Fault[]} faults */
function located(text, faults) {
  const spots = spotsAt(text, faults.map(({ pointer }) => pointer))
  return faults.map((fault, at) => ({ ...fault, spot: spots[at] }))
}

/**
 * @param {{ id: string, label: string, text: string, faults: Fault[], onInput: (text: string) => void, small?: boolean }} given
 *   `faults` belong to this text: whoever changes it drops them
 */
export function Editor({ id, label, text, faults, onInput, small }) {
  const field = useRef(/** @type {any} */ (null))
  const gutter = useRef(/** @type {any} */ (null))
  const { wrong, spot } = read(text)
  const told = wrong === undefined ? located(text, faults.slice(0, MOST_FAULTS)) : [{ pointer: '', text: wrong, spot }]
  const marked = new Set(told.map((each) => each.spot.line))
  const show = (/** @type {import('./locate.js').Spot} */ { from, to, line }) => {
    field.current.focus()
    field.current.setSelectionRange(from, to)
    field.current.scrollTop = (line - 3) * 20
  }
  return html`<div class=${`editor ${small ? 'low' : ''}`}>
    <label for=${id}>${label}</label>
    <div class="editing">
      <ol class="gutter" aria-hidden="true" ref=${gutter}>${text.split('\n').map((_, at) => html`<li class=${marked.has(at + 1) ? 'odd' : ''}>${at + 1}</li>`)}</ol>
      <textarea id=${id} ref=${field} spellcheck=${false} autocomplete="off" autocapitalize="off" wrap="off" aria-invalid=${told.length ? 'true' : 'false'}
        aria-describedby=${`${id}-faults`} value=${text} onScroll=${() => (gutter.current.scrollTop = field.current.scrollTop)}
        onInput=${(/** @type {any} */ event) => onInput(event.target.value)}></textarea>
    </div>
    <ul class="faults" id=${`${id}-faults`}>
      ${told.map((each) => html`<li><button type="button" onClick=${() => show(each.spot)}>${icon('alert', 's')}
        <span><b>${t('c.line', { i: each.spot.line })}${each.pointer && ` · ${each.pointer}`}</b> <span lang="en">${each.text}</span></span></button></li>`)}
    </ul>
  </div>`
}
