/** What can be done with faces. */

import { number, size, t } from '../../core/i18n.js'
import { Switch, save } from '../../parts/controls.js'
import { icon } from '../../parts/icon.js'
import { titleOf } from '../../parts/trouble.js'
import { html, useState } from '../../vendor/htm-preact.js'
import { modeOf } from '../index.js'
import { useFaces } from './document.js'
import { fileOf, given } from './files.js'
import { useCollections } from './find/collections.js'
import { look } from './looking.js'
import { FaceOptions, REDACTIONS, asked } from './options.js'
import { People } from './people.js'

/** @import { Item, Page, Redaction, ResultFile } from '../../core/types' */

/** @param {{ item: Item, page: Page }} given Each makes a copy of the photo in which the faces are hidden so. */
function Hide({ item, page }) {
  const { results, options } = item
  const done = results?.some(({ kind }) => kind === 'redacted') ? options.redact : undefined
  /** @param {Redaction} redact */
  const hide = (redact) => {
    page.store.set({ mode: 'compare', zoom: 0 })
    if (redact !== done) page.queue.again(item.id, asked({ ...options, redact }))
  }
  return html`<section>
    <h2>${t('redact')}</h2>
    <div class="ways" role="group" aria-label=${t('redact')}>
      ${REDACTIONS.map((each) => html`<button class="btn soft" type="button" aria-pressed=${each === done ? 'true' : 'false'}
        onClick=${() => hide(each)}>${t(`redact.${each}`)}</button>`)}
    </div>
    <p class="note">${t('redact.what')}</p>
  </section>`
}

/** @param {{ item: Item, page: Page }} given */
function Again({ item, page }) {
  const before = asked(item.options)
  const [wanted, want] = useState(before)
  const into = useCollections(page)
  const changed = JSON.stringify(wanted) !== JSON.stringify(before)
  return html`<section>
    <h2>${t('faces.asked')}</h2>
    <${FaceOptions} options=${wanted} edit=${want} into=${into} />
    ${changed && html`<button class="btn soft wide" type="button" onClick=${() => page.queue.again(item.id, wanted)}>${t('again')}</button>`}
    ${item.trouble && html`<p class="note odd" role="alert">${titleOf(item.trouble)}</p>`}
  </section>`
}

/** @param {ResultFile} result @returns {string} */
const named = ({ kind, name }) =>
  t(kind === 'redacted' ? 'download.redacted' : 'download.as', { format: name.split('.').at(-1)?.toUpperCase() ?? '' })

/** @param {{ item: Item, page: Page }} given */
export function Inspector({ item, page }) {
  const { found, error } = useFaces(item, page)
  const [told, tell] = useState('')
  const { looking } = item
  const results = given(item)
  const main = results.find(({ kind }) => kind === 'redacted') ?? results[0]
  const download = (/** @type {ResultFile} */ result) =>
    fileOf(item, page, result).then((file) => save(file, file.name), (error) => tell(titleOf(error.trouble)))
  const any = Boolean(found?.faces.length)
  if (error) return html`<aside class="inspector" aria-label=${t('faces')}></aside>` // the stage says what can be done
  return html`<aside class="inspector" aria-label=${t('faces')}>
    ${any && html`<${Hide} item=${item} page=${page} />`}
    <section>
      <h2>${t('faces')}${found && html`<span>${number(found.faces.length)}</span>`}</h2>
      ${found && (any ? html`<${People} item=${item} page=${page} found=${found} />` : html`<p class="quiet">${t('faces.none')}</p>`)}
      ${found?.faces.some(({ age, expressions }) => age !== undefined || expressions.length) && html`<p class="note">${t('est.note')}</p>`}
    </section>
    ${any && modeOf(item, page)?.id === 'faces' &&
    html`<section>
      <${Switch} label=${t('show.boxes')} on=${!looking?.bare} onChange=${(/** @type {boolean} */ on) => look(page, item.id, { bare: !on })} />
      <${Switch} label=${t('show.points')} on=${Boolean(looking?.points)}
        onChange=${(/** @type {boolean} */ points) => look(page, item.id, { points })} />
    </section>`}
    <${Again} item=${item} page=${page} key=${item.made?.total} />
    ${results.length > 1 &&
    html`<section><h2>${t('files')}</h2>
      <div class="files">${results.map((each) => html`<button class="btn soft" type="button" onClick=${() => download(each)}>
        ${icon('download', 's')}<span>${named(each)}</span><small>${each.bytes && size(each.bytes)}</small></button>`)}</div>
    </section>`}
    <p class="note">${t('faces.kept')}</p>
    <div class="end">
      <p class="told" role="status">${told}</p>
      ${main && html`<button class="btn primary" type="button" onClick=${() => download(main)}>${icon('download')}${named(main)}</button>`}
    </div>
  </aside>`
}
