/** A value as JSON that folds, and is copied whole. What is folded is not drawn. */

import { t } from '../../core/i18n.js'
import { icon } from '../../parts/icon.js'
import { html, useState } from '../../vendor/htm-preact.js'
import { read } from './locate.js'

/** @import { Page } from '../../core/types' */

const OPEN_DEPTH = 2
const MOST_OPEN = 12 // parts of a value that is open from the start
const MOST_SHOWN = 200
const LONG = 400 // letters

/** @param {unknown} value @returns {[string, unknown][] | undefined} what is in an object or a list */
const partsOf = (value) => (value !== null && typeof value === 'object' ? Object.entries(value) : undefined)

/** @param {{ value: unknown }} given */
function Plain({ value }) {
  const [whole, show] = useState(false)
  const text = JSON.stringify(value) ?? ''
  const kind = value === null ? 'null' : typeof value
  if (text.length <= LONG || whole) return html`<span class=${`json-${kind}`}>${text}</span>`
  return html`<span class=${`json-${kind}`}>${text.slice(0, LONG)}…</span>
    <button class="more" type="button" onClick=${() => show(true)}>${t('c.json.more', { n: text.length - LONG })}</button>`
}

/** @param {{ name?: string, value: unknown, depth: number }} given */
function Part({ name, value, depth }) {
  const parts = partsOf(value)
  const [open, setOpen] = useState(depth < OPEN_DEPTH && (parts?.length ?? 0) <= MOST_OPEN)
  const [most, setMost] = useState(MOST_SHOWN)
  const key = name !== undefined && html`<span class="json-key">${name}</span>: `
  if (!parts?.length) return html`<li>${key}${parts ? (Array.isArray(value) ? '[]' : '{}') : html`<${Plain} value=${value} />`}</li>`
  const [first, last] = Array.isArray(value) ? '[]' : '{}'
  return html`<li><details open=${open} onToggle=${(/** @type {any} */ event) => setOpen(event.target.open)}>
    <summary>${key}${first}<span class="quiet">${open ? '' : ` ${t('c.json.n', { n: parts.length })} ${last}`}</span></summary>
    ${open && html`<ul>
      ${parts.slice(0, most).map(([each, inner]) => html`<${Part} key=${each} name=${each} value=${inner} depth=${depth + 1} />`)}
      ${parts.length > most && html`<li><button class="more" type="button" onClick=${() => setMost(most + MOST_SHOWN)}>${t('c.more')}</button></li>`}
    </ul>`}
  </details></li>`
}

/** @param {any} value a cause @returns {string} the words in it: those of a container, or of an execution that failed within */
function wordsOf(value) {
  if (value?.errorMessage) return `${value.errorMessage}`
  if (!value?.Error) return ''
  return `${value.Error}: ${wordsOf(read(`${value.Cause}`).value) || value.Cause}`
}

/** @param {{ page: Page, text: string }} given The cause of an error: containers write JSON, AWS writes sentences. */
export function Cause({ page, text }) {
  const { value } = read(text)
  if (value === null || typeof value !== 'object') return html`<p lang="en">${text}</p>`
  return html`<p lang="en">${wordsOf(value)}</p><${Json} page=${page} title=${t('c.cause')} value=${value} />`
}

/** @param {{ page: Page, title: string, value: unknown }} given */
export function Json({ page, title, value }) {
  const copy = () =>
    navigator.clipboard.writeText(JSON.stringify(value, null, 2) ?? '').then(() => page.say(t('copied')), () => page.say(t('copy.failed')))
  return html`<section class="json" aria-label=${title}>
    <p class="json-title">${title}${value !== null && value !== undefined && html`<button class="ib tiny" type="button" aria-label=${t('c.copy', { what: title })}
      title=${t('c.copy', { what: title })} onClick=${copy}>${icon('copy', 's')}</button>`}</p>
    ${value === null || value === undefined ? html`<p class="quiet">${t('c.none')}</p>` : html`<ul class="tree"><${Part} value=${value} depth=${0} /></ul>`}
  </section>`
}

