/** What can be done with a cut-out. */

import { seconds, t } from '../../core/i18n.js'
import { Price, Select, Swatches, Switch, colourName, save } from '../../parts/controls.js'
import { icon } from '../../parts/icon.js'
import { titleOf } from '../../parts/trouble.js'
import { html, useState } from '../../vendor/htm-preact.js'
import { lookOf } from './picture.js'
import { MOST_PRICE, offered, priceOf, purposeOf } from './purposes.js'

/** @import { Item, Look, Options, Page } from '../../core/types' */

const SIZES = [4096, 2048, 1024, 512]
const EDGES = ['auto', 'matting', 'fast', 'none']
const TASKS = { inspect: 'Inspect', mask: 'RemoveBackground', refine: 'RefineEdges' }

/** @param {{ item: Item, page: Page }} given Where the time went. */
function Time({ item: { made } }) {
  if (!made) return null
  const parts = Object.entries(TASKS).map(([id, task]) => ({ id, ms: made.tasks[task] ?? 0 }))
  const between = Math.max(0, made.total - parts.reduce((sum, { ms }) => sum + ms, 0))
  const all = [...parts, { id: 'between', ms: between }]
  return html`<section>
    <h2>${t('time')}<span>${seconds(made.total)} s</span></h2>
    <div class="spent" aria-hidden="true">${all.map(({ id, ms }) => html`<i class=${id} style=${{ flexGrow: ms }}></i>`)}</div>
    <dl class="keyed">${all.map(({ id, ms }) => html`<dt>${t(`task.${id}`)}</dt><dd>${seconds(ms)} s</dd>`)}</dl>
  </section>`
}

/** @param {{ item: Item, page: Page }} given */
function MadeWith({ item, page }) {
  const { models } = page.store.state
  const before = { model: item.options.model ?? '', refine: item.made?.refine ?? 'auto' }
  const [wanted, want] = useState(before)
  const price = priceOf(models, wanted.model || (wanted.model === before.model && item.made?.model) || '')
  const purpose = purposeOf(models, wanted.model)
  const names = offered(models)
  if (!names.includes(wanted.model)) names.push(wanted.model)
  const changed = wanted.model !== before.model || wanted.refine !== before.refine
  /** @type {Options} */
  const options = wanted.refine === 'auto' ? {} : { refine: wanted.refine }
  if (wanted.model) options.model = wanted.model
  if (wanted.model === before.model) options.prompts = item.options.prompts
  return html`<section>
    <h2>${t('made')}</h2>
    <div class="model">
      <b>${t(`model.${purpose}`)}${price > 0 && html`<${Price} value=${price} most=${MOST_PRICE} />`}</b>
      ${purpose !== 'other' && html`<small>${t(`model.${purpose}.sub`)}</small>`}
      ${icon('down', 's')}
      <select aria-label=${t('made')} onChange=${(/** @type {any} */ e) => want({ ...wanted, model: e.target.value })}>
        ${names.map((name) => html`<option value=${name} selected=${name === wanted.model}>
          ${t(`model.${purposeOf(models, name)}`)}</option>`)}
      </select>
    </div>
    <div class="line"><span>${t('edges')}</span>
      <${Select} label=${t('edges')} value=${wanted.refine} choices=${EDGES.map((value) => ({ value, text: t(`edges.${value}`) }))}
        onChoose=${(/** @type {string} */ refine) => want({ ...wanted, refine })} /></div>
    ${changed &&
    html`<button class="btn soft wide" type="button" onClick=${() => page.queue.again(item.id, options)}>${t('again')}</button>`}
    ${item.trouble && html`<p class="note odd" role="alert">${titleOf(item.trouble)}</p>`}
  </section>`
}

/** @param {{ item: Item, page: Page }} given */
export function Inspector({ item, page }) {
  const look = lookOf(item, page.store.state.settings)
  const [told, tell] = useState('')
  const now = () => page.store.item(item.id) ?? item // what was chosen last may not be drawn yet
  const set = (/** @type {Partial<Look>} */ change) =>
    page.queue.setLook(item.id, { ...lookOf(now(), page.store.state.settings), ...change })
  const longest = Math.max(...[item.results?.[0].width ?? 0, item.results?.[0].height ?? 0])
  const sizes = SIZES.filter((each) => each < longest).map((value) => ({ value, text: t('size.px', { px: value }) }))
  const formats = ['png', 'jpeg', 'webp'].map((value) => ({ value, text: value === 'webp' ? 'WebP' : value.toUpperCase() }))
  const format = formats.find(({ value }) => value === look.format)?.text ?? ''

  const finishing = () => import('./finish.js')
  const download = () =>
    finishing().then(({ finished }) => finished(now(), page)).then((file) => save(file, file.name), (error) => tell(titleOf(error.trouble)))

  function copy() {
    // A browser allows copying only while it handles the press: the picture may come later.
    const png = finishing().then(async ({ finish, finished }) => {
      const file = await finished(now(), page)
      return file.type === 'image/png' ? file : finish(file, { ...look, trim: false, size: 0, format: 'png' })
    })
    navigator.clipboard.write([new ClipboardItem({ 'image/png': png })]).then(
      () => tell(t('copied')),
      () => tell(t('copy.failed')),
    )
  }

  return html`<aside class="inspector" aria-label=${t('result')}>
    <section>
      <h2>${t('background')}<span>${colourName(look.background)}</span></h2>
      <${Swatches} label=${t('background')} name="background" value=${look.background}
        onChoose=${(/** @type {string} */ background) => set({ background })} />
    </section>
    <section>
      <h2>${t('frame')}</h2>
      <${Switch} label=${t('trim')} on=${look.trim}
        onChange=${(/** @type {boolean} */ trim) => { set({ trim }); page.store.set({ mode: 'result' }) }} />
      ${look.trim &&
      html`<label class="line">${t('margin')}<input type="range" class="slider" min="0" max="50" value=${look.margin}
        style=${{ '--at': `${look.margin * 2}%` }} aria-valuetext=${`${look.margin}%`}
        onInput=${(/** @type {any} */ e) => set({ margin: e.target.valueAsNumber })} /><output>${look.margin}%</output></label>`}
      <div class="pair">
        <${Select} label=${t('size')} value=${look.size} onChoose=${(/** @type {string} */ size) => set({ size: Number(size) })}
          choices=${[{ value: 0, text: t('size.px', { px: longest }) }, ...sizes]} />
        <${Select} label=${t('format')} value=${look.format} choices=${formats}
          onChoose=${(/** @type {Look['format']} */ chosen) => set({ format: chosen })} />
      </div>
      ${look.format === 'jpeg' && !look.background && html`<p class="note">${t('jpeg.note')}</p>`}
    </section>
    <${MadeWith} item=${item} page=${page} key=${item.made?.total} />
    <${Time} item=${item} page=${page} />
    <div class="end">
      <p class="told" role="status">${told}</p>
      <button class="btn primary" type="button" onClick=${download}>${icon('download')}${t('download.as', { format })}</button>
      <button class="ib soft" type="button" aria-label=${t('copy')} title=${t('copy')} onClick=${copy}>${icon('copy')}</button>
    </div>
  </aside>`
}
