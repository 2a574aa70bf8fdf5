/** What is asked about faces: before photos are added, and to make a result again. */

import { t } from '../../core/i18n.js'
import { Select, Switch } from '../../parts/controls.js'
import { html } from '../../vendor/htm-preact.js'

/** @import { Attribute, Collection, Options, Redaction } from '../../core/types' */

/** @type {Attribute[]} */
const ATTRIBUTES = ['age_gender', 'expressions']
/** @type {Redaction[]} */
export const REDACTIONS = ['blur', 'pixelate', 'cover']

/** @param {Options} options @returns {Options} only what differs from the defaults, always in the same order */
export function asked({ attributes = [], small_faces, embed, embedder, redact }) {
  return {
    ...(attributes.length && { attributes }), ...(small_faces && { small_faces }),
    ...(embed && { embed, ...(embedder && { embedder }) }), ...(redact && { redact }),
  }
}

/** @param {Options} options @param {Attribute} attribute @param {boolean} on @returns {Options} */
const estimating = (options, attribute, on) =>
  asked({ ...options, attributes: ATTRIBUTES.filter((each) => (each === attribute ? on : options.attributes?.includes(each))) })

/** @param {Options} options @returns {string} */
export const inWords = ({ attributes = [], small_faces, embed, redact }) =>
  [...attributes.map((each) => t(`asked.${each}`)), small_faces && t('asked.small_faces'), embed && t('asked.embed'), redact && t(`redact.${redact}`)]
    .filter(Boolean)
    .join(' · ')

/**
 * @param {{ options: Options, edit: (change: (now: Options) => Options) => void, into?: Collection, hiding?: boolean }} given
 *   `into`: vectors are offered, for this collection. `hiding`: also how
 */
export const FaceOptions = ({ options, edit, into, hiding }) => html`
  ${ATTRIBUTES.map((each) => html`<${Switch} label=${t(`faces.${each}`)} on=${Boolean(options.attributes?.includes(each))}
    onChange=${(/** @type {boolean} */ on) => edit((now) => estimating(now, each, on))} />`)}
  <${Switch} label=${t('faces.small_faces')} on=${Boolean(options.small_faces)}
    onChange=${(/** @type {boolean} */ on) => edit((now) => asked({ ...now, small_faces: on }))} />
  ${into &&
  html`<${Switch} label=${t('faces.embed')} on=${Boolean(options.embed)}
    onChange=${(/** @type {boolean} */ embed) => edit((now) => asked({ ...now, embed, embedder: into.model }))} />`}
  ${hiding &&
  html`<div class="line"><span>${t('redact')}</span>
    <${Select} label=${t('redact')} value=${options.redact ?? ''}
      choices=${[{ value: '', text: t('redact.not') }, ...REDACTIONS.map((value) => ({ value, text: t(`redact.${value}`) }))]}
      onChoose=${(/** @type {any} */ redact) => edit((now) => asked({ ...now, redact }))} /></div>`}`
