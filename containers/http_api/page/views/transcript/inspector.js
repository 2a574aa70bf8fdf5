/** What can be done with a transcript. */

import { ask } from '../../core/api.js'
import { language as ours, languageName, number, size, span, t } from '../../core/i18n.js'
import { Select, Switch, save } from '../../parts/controls.js'
import { icon } from '../../parts/icon.js'
import { saveAll } from '../../parts/queue.js'
import { titleOf } from '../../parts/trouble.js'
import { html, useEffect, useState } from '../../vendor/htm-preact.js'
import { fileOf } from './files.js'
import { sessionOf, useChanges } from './session.js'
import { Sounds } from './sounds.js'
import { Speakers } from './speakers.js'

/** @import { Item, Page, ResultFile } from '../../core/types' */

/** @type {Promise<string[]> | undefined} the languages that a recording may be in, as the service says */
let known

async function languages() {
  const { products } = await ask('GET', '/options')
  const { $defs = {}, properties } = products.find((/** @type {any} */ each) => each.product === 'transcript').options
  const { anyOf } = properties.language
  return anyOf.flatMap((/** @type {any} */ each) => each.enum ?? $defs[each.$ref?.split('/').at(-1)]?.enum ?? [])
}

/** @param {{ item: Item, page: Page }} given */
function Options({ item, page }) {
  const { language = '', translate = false, denoise = false, diarize = false, tags = false } = item.options
  const before = { language, translate, denoise, diarize, tags }
  const [wanted, want] = useState(before)
  const [all, setAll] = useState(/** @type {string[]} */ (language ? [language] : []))
  useEffect(() => {
    known ??= languages()
    known.then(setAll, () => (known = undefined)) // the list stays short until it is asked again
  }, [])
  const named = all.map((value) => ({ value, text: languageName(value) })).sort((a, b) => a.text.localeCompare(b.text, ours()))
  const changed = JSON.stringify(wanted) !== JSON.stringify(before)
  const again = () =>
    page.queue.again(item.id, Object.fromEntries(Object.entries(wanted).filter(([, value]) => value)))
  return html`<section>
    <h2>${t('spoken')}</h2>
    <div class="line"><span>${t('spoken.in')}</span>
      <${Select} label=${t('spoken.in')} value=${wanted.language} choices=${[{ value: '', text: t('spoken.auto') }, ...named]}
        onChoose=${(/** @type {string} */ chosen) => want({ ...wanted, language: chosen })} /></div>
    <${Switch} label=${t('translate')} on=${wanted.translate}
      onChange=${(/** @type {boolean} */ on) => want({ ...wanted, translate: on })} />
    <${Switch} label=${t('denoise')} on=${wanted.denoise}
      onChange=${(/** @type {boolean} */ on) => want({ ...wanted, denoise: on })} />
    <${Switch} label=${t('diarize')} on=${wanted.diarize}
      onChange=${(/** @type {boolean} */ on) => want({ ...wanted, diarize: on })} />
    <${Switch} label=${t('tags')} on=${wanted.tags}
      onChange=${(/** @type {boolean} */ on) => want({ ...wanted, tags: on })} />
    ${changed && html`<button class="btn soft wide" type="button" onClick=${again}>${t('again')}</button>`}
    ${item.trouble && html`<p class="note odd" role="alert">${titleOf(item.trouble)}</p>`}
  </section>`
}

/** @param {ResultFile} result @returns {string} */
function named({ kind = '', name }) {
  const own = { denoised: 'download.denoised', speakers: 'download.speakers', tags: 'download.tags' }[kind]
  return t(own ?? 'download.as', { format: name.split('.').at(-1)?.toUpperCase() ?? '' })
}

/** @param {{ item: Item, page: Page }} given */
export function Inspector({ item, page }) {
  const { made, results = [] } = item
  const session = sessionOf(item, page)
  useChanges(session)
  const [told, tell] = useState('')
  const download = (/** @type {ResultFile} */ result) =>
    fileOf(item, page, result).then((file) => save(file, file.name), (error) => tell(titleOf(error.trouble)))
  const facts = [
    ['language', made?.languages?.map(languageName).join(', ')],
    ['length', made?.duration !== undefined && span(made.duration)],
    ['words', made?.words !== undefined && number(made.words)],
  ].filter(([, value]) => value)
  return html`<aside class="inspector" aria-label=${t('text')}>
    <section>
      <h2>${t('recording')}</h2>
      <dl class="keyed">${facts.map(([key, value]) => html`<dt>${t(`${key}`)}</dt><dd>${value}</dd>`)}</dl>
      ${made?.remarks?.map((each) => html`<p class="note" lang="en">${each}</p>`)}
    </section>
    <${Speakers} session=${session} />
    <${Sounds} session=${session} />
    <${Options} item=${item} page=${page} key=${made?.total} />
    <section>
      <h2>${t('files')}</h2>
      <div class="files">${results.map((each) => html`<button class="btn soft" type="button"
        onClick=${() => download(each)}>${icon('download', 's')}
        <span>${named(each)}</span>
        <small>${each.bytes && size(each.bytes)}</small></button>`)}</div>
      ${(session.edits?.any || Object.values(session.names).some(Boolean)) && html`<p class="note">${t('files.yours')}</p>`}
    </section>
    <div class="end">
      <p class="told" role="status">${told}</p>
      <button class="btn primary" type="button" onClick=${() => saveAll(page, [item], tell, item.name.replace(/\.\w{1,8}$/, ''))}>
        ${icon('download')}${t('download.as', { format: 'ZIP' })}</button>
    </div>
  </aside>`
}
