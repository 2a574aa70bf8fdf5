/** Add a face of the photo to the collection, or forget a person: for those who manage it. */

import { day, t } from '../../../core/i18n.js'
import { Select } from '../../../parts/controls.js'
import { html, useRef, useState } from '../../../vendor/htm-preact.js'
import { current } from '../looking.js'
import { act } from './acting.js'
import { jobOf } from './asking.js'
import { Confirm } from './confirm.js'
import { Odd } from './trouble.js'

/** @import { Acting, Collection, Item, Page } from '../../../core/types' */

const MOST_LETTERS = 128 // the API's limit

/** @param {Acting} acting @returns {string} what became of it */
function outcome({ kind, result = {} }) {
  const { enrolled = 0, known = 0, forgotten = 0, erased_by } = result
  if (kind === 'forget') return forgotten && erased_by ? t('forgotten', { n: forgotten, date: day(erased_by) }) : t('forgotten.none')
  return t(enrolled ? 'enrolled.n' : known ? 'enrolled.known' : 'enrolled.none', { n: enrolled })
}

/** @param {{ acting: Acting }} given */
function Course({ acting }) {
  const { kind, trouble, result } = acting
  if (trouble) return html`<${Odd} trouble=${trouble} />`
  if (result) return html`<p class="note" role="status">${outcome(acting)}</p>`
  return html`<p class="note going" role="status"><i class="spin"></i>${t(`${kind}.now`)}</p>`
}

/** @param {{ item: Item, page: Page, collection: Collection, faces: number, embedded: boolean }} given */
export function Manage({ item, page, collection, faces, embedded }) {
  const field = useRef(/** @type {any} */ (null))
  const [face, setFace] = useState(0)
  const [wanted, want] = useState(/** @type {Acting | undefined} */ (undefined))
  const { name, purpose, legal_basis: basis, retention_days: days } = collection
  const acting = item.acting?.collection === name ? item.acting : undefined
  const busy = acting && !acting.result && !acting.trouble
  const place = item.looking?.held ?? face
  /** @param {Acting['kind']} kind */
  const begin = (kind) => () => {
    field.current.value = field.current.value.trim()
    if (field.current.reportValidity()) want({ kind, collection: name, person: field.current.value })
  }
  const choices = Array.from({ length: faces }, (_, value) => ({ value, text: t('face.n', { i: value + 1 }) }))
  const { kind = 'enroll', person = '' } = wanted ?? {}
  const values = { person, collection: name, purpose, basis, i: place + 1, days: t('days', { n: days }) }
  const body = kind === 'enroll' ? { job_id: jobOf(item), person, faces: [place] } : { person }
  return html`<section class="manage">
    <h2>${t('manage', { collection: name })}</h2>
    <label>${t('person')}<input type="text" maxlength=${MOST_LETTERS} required autocomplete="off" spellcheck="false" ref=${field} /></label>
    <p class="note">${t('person.what')}</p>
    ${embedded && faces > 1 && html`<${Select} label=${t('enroll.face')} value=${place} choices=${choices}
      onChoose=${(/** @type {string} */ value) => setFace(Number(value))} />`}
    <div class="files">
      ${embedded && html`<button class="btn soft" type="button" disabled=${busy} onClick=${begin('enroll')}>${t('enroll', { i: place + 1 })}</button>`}
      <button class="btn soft" type="button" disabled=${busy} onClick=${begin('forget')}>${t('forget')}</button>
    </div>
    ${acting && html`<${Course} acting=${acting} />`}
    ${wanted && html`<${Confirm} title=${t(`${kind}.sure`, values)} yes=${t(`${kind}.yes`)}
      says=${[t(`${kind}.what`, values), t(`${kind}.mind`, values)]}
      onYes=${() => act(page, item.id, wanted, body)} onEnd=${() => want(undefined)} />`}
  </section>`
}
