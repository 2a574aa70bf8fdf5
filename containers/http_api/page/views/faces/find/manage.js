/** Add a face of the photo to the collection, or forget a person: for those who manage it. */

import { t } from '../../../core/i18n.js'
import { Select } from '../../../parts/controls.js'
import { html, useRef, useState } from '../../../vendor/htm-preact.js'
import { current } from '../looking.js'
import { act, outcome } from './acting.js'
import { jobOf } from './asking.js'
import { Confirm } from '../../../parts/confirm.js'
import { Odd } from './trouble.js'
import { useVectors } from './vectors.js'

/** @import { Acting, Collection, Item, Page } from '../../../core/types' */

const MOST_LETTERS = 128 // the API's limit

/** @param {{ acting: Acting }} given */
function Course({ acting }) {
  const { kind, trouble, result } = acting
  if (trouble) return html`<${Odd} trouble=${trouble} />`
  if (result) return html`<p class="note ended">${outcome(acting)}</p>`
  return html`<p class="note going"><i class="spin"></i>${t(`${kind}.now`)}</p>`
}

/** @param {{ item: Item, page: Page, collection: Collection }} given */
export function Manage({ item, page, collection }) {
  const field = useRef(/** @type {any} */ (null))
  const [face, setFace] = useState(-1)
  const faces = useVectors(item, page)
  const [wanted, want] = useState(/** @type {Acting | undefined} */ (undefined))
  const { name, purpose, legal_basis: basis, retention_days: days, erase_within_days: within } = collection
  const acting = item.acting?.collection === name ? item.acting : undefined
  const busy = acting && !acting.result && !acting.trouble
  const [first] = faces
  const place = [item.looking?.held, face].find((each) => faces.includes(each ?? -1)) ?? first
  /** @param {Acting['kind']} kind */
  const begin = (kind) => () => {
    field.current.value = field.current.value.trim()
    if (!busy && field.current.reportValidity()) want({ kind, collection: name, person: field.current.value })
  }
  const choices = faces.map((value) => ({ value, text: t('face.n', { i: value + 1 }) }))
  const { kind = 'enroll', person = '' } = wanted ?? {}
  const values = { person, collection: name, purpose, basis, i: place + 1, days: t('days', { n: days }), within: t('days', { n: within }) }
  const body = kind === 'enroll' ? { job_id: jobOf(item), person, faces: [place] } : { person }
  return html`<section class="manage">
    <h2>${t('manage', { collection: name })}</h2>
    <label>${t('person')}<input type="text" maxlength=${MOST_LETTERS} required autocomplete="off" spellcheck="false" ref=${field} /></label>
    <p class="note">${t('person.what')}</p>
    ${faces.length > 1 && html`<${Select} label=${t('enroll.face')} value=${place} choices=${choices}
      onChoose=${(/** @type {string} */ value) => setFace(Number(value))} />`}
    <div class="files">
      ${faces.length > 0 && html`<button class="btn soft" type="button" aria-disabled=${busy ? 'true' : undefined} onClick=${begin('enroll')}>${t('enroll', { i: place + 1 })}</button>`}
      <button class="btn soft" type="button" aria-disabled=${busy ? 'true' : undefined} onClick=${begin('forget')}>${t('forget')}</button>
    </div>
    ${acting && html`<${Course} acting=${acting} />`}
    ${wanted && html`<${Confirm} title=${t(`${kind}.sure`, values)} yes=${t(`${kind}.yes`)}
      says=${[t(`${kind}.what`, values), t(`${kind}.mind`, values)]}
      onYes=${() => act(page, item.id, wanted, body)} onEnd=${() => want(undefined)} />`}
  </section>`
}
