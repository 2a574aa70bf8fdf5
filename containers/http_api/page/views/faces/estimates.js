/** What was estimated of a face: in a line, and as bars. */

import { number, t } from '../../core/i18n.js'
import { html } from '../../vendor/htm-preact.js'

/** @import { Face } from './document.js' */

const MOST = 3 // expressions in the picture, which has little room
const LEAST = 0.005 // that is not 0%

/** @param {number} share */
const percent = (share) => number(share, { style: 'percent' })

/** @param {string} kind @param {string} name a name that the page does not know is shown as it is */
const named = (kind, name) => {
  const key = `${kind}.${name}`
  const text = t(key)
  return text === key ? name : text
}

/** @param {Face} face @returns {string} */
export const sure = ({ score }) => t('sure', { p: Math.floor(score * 100) })

/** @param {Face} face @returns {string[]} */
const guesses = ({ age, gender }) => [
  ...(age === undefined ? [] : [t('est.age', { n: Math.max(0, Math.round(age)) })]),
  ...(gender ? [`${named('gender', gender.name)} ${percent(gender.score)}`] : []),
]

/** @param {Face} face @returns {string} empty if nothing was asked for */
export function summary(face) {
  const [first] = face.expressions
  const parts = [...guesses(face), ...(first ? [`${named('expression', first[0])} ${percent(first[1])}`] : [])]
  return parts.length ? t('est', { what: parts.join(', ') }) : ''
}

/** @param {{ expressions: [string, number][] }} given */
export const Bars = ({ expressions }) =>
  expressions.length > 0 &&
  html`<dl class="bars" aria-label=${t('est.expression')}>
    ${expressions.map(([name, share]) => html`<div><dt>${named('expression', name)}</dt>
      <dd><i aria-hidden="true" style=${{ '--share': share }}></i>${percent(share)}</dd></div>`)}</dl>`

/** @param {{ face: Face }} given The most probable ones alone. */
export function Estimates({ face }) {
  const first = guesses(face)
  if (!first.length && !face.expressions.length) return null
  return html`<p>${first.length ? t('est', { what: first.join(', ') }) : t('est.expression')}</p>
    <${Bars} expressions=${face.expressions.slice(0, MOST).filter(([, share]) => share >= LEAST)} />`
}
