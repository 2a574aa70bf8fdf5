/** Statuses, times and lengths in words; and the console's texts, which are fetched with it. */

import { has, language, learn, number, seconds, span, t } from '../../core/i18n.js'
import { html, useEffect, useState } from '../../vendor/htm-preact.js'

/** On a grid of 24. Each status has a shape of its own: colours may look the same. @type {Record<string, string>} */
export const SIGNS = {
  succeeded: 'M5 12.5l4.5 4.5L19 7.5',
  failed: 'M6.5 6.5l11 11M17.5 6.5l-11 11',
  timed_out: 'M12 4a8 8 0 100 16 8 8 0 000-16zM12 7.5V12l3 2.5',
  aborted: 'M7 7h10v10H7z',
  caught: 'M9 5L5 9l4 4M5 9h8a5 5 0 010 10h-2',
  running: 'M5 12h.01M12 12h.01M19 12h.01',
  many: 'M4.5 8.5h11v11h-11zM8.5 8.5v-4h11v11h-4',
}

/** @param {string} name @param {string} [look] classes */
export const sign = (name, look = 's') => html`<svg class=${`icon ${look} sign-${name}`} viewBox="0 0 24 24" aria-hidden="true">
  <path d=${SIGNS[name] ?? SIGNS.running} /></svg>`

/** @param {{ status: string }} given */
export const Badge = ({ status }) => html`<span class=${`badge is-${status}`}>${sign(status)}${t(`c.is.${status}`)}</span>`

/** @param {number | null | undefined} ms @returns {string} */
export function lasted(ms) {
  if (ms === null || ms === undefined) return ''
  if (ms < 1000) return `${number(ms)} ms`
  return ms < 60_000 ? `${seconds(ms)} s` : span(ms / 1000)
}

/** @param {{ started_at?: string, entered_at?: string, duration_ms: number | null }} given @returns {number} ms, until now if it has not ended */
export const lengthOf = ({ started_at, entered_at, duration_ms }) => duration_ms ?? Math.max(0, Date.now() - Date.parse(started_at ?? entered_at ?? ''))

/** @param {string | null | undefined} at ISO 8601 @returns {string} */
export const moment = (at) => (at ? new Intl.DateTimeFormat(language(), { dateStyle: 'medium', timeStyle: 'medium' }).format(Date.parse(at)) : '')

/** @returns {boolean} whether the console's texts are here, in the user's language */
export function useWords() {
  const [, drawn] = useState('')
  const code = language()
  const known = has('c.title')
  useEffect(() => {
    if (known) return
    import(`./lang/${code}.js`).then((texts) => {
      learn(texts.default)
      drawn(code)
    })
  }, [code, known])
  return known
}
