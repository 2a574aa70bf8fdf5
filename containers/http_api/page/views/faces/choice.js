/** What photos become, chosen before they are added; and what is asked about faces. */

import { t } from '../../core/i18n.js'
import { Segments } from '../../parts/controls.js'
import { html } from '../../vendor/htm-preact.js'
import { useCollections } from './find/collections.js'
import { FaceOptions, inWords } from './options.js'

/** @import { Options, Page, Settings } from '../../core/types' */

/** @param {{ page: Page }} given */
export function Choice({ page }) {
  const { photos, faces } = page.store.state.settings
  const into = useCollections(page, photos === 'faces')
  const edit = (/** @type {(now: Options) => Options} */ change) => page.change({ faces: change(page.store.state.settings.faces) })
  return html`<div class="making">
    <p aria-hidden="true">${t('photos')}</p>
    <${Segments} label=${t('photos')} name="photos" value=${photos}
      choices=${['cutout', 'faces'].map((value) => ({ value, text: t(`photos.${value}`) }))}
      onChoose=${(/** @type {Settings['photos']} */ chosen) => page.change({ photos: chosen })} />
    ${photos === 'faces' &&
    html`<details>
      <summary>${t('faces.options')}<span>${inWords(into ? faces : { ...faces, embed: false }) || t('asked.none')}</span></summary>
      <${FaceOptions} options=${faces} edit=${edit} into=${into} hiding />
      <p class="note">${t('faces.lawful')} ${into && faces.embed && `${t('search.lawful')} `}${t('photos.note')}</p>
    </details>`}
  </div>`
}
