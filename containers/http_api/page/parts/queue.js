/** The list of the user's files, each with its state, and what can be done with all of them. */

import { t } from '../core/i18n.js'
import { html, useState } from '../vendor/htm-preact.js'
import { stepOf, viewOf } from '../views/index.js'
import { Bar, save } from './controls.js'
import { icon } from './icon.js'
import { Making } from './making.js'
import { Brand } from './settings.js'
import { titleOf } from './trouble.js'

/** @import { Item, Page } from '../core/types' */

/** @param {Item[]} items @returns {string} how many there are of each kind */
export function summary(items) {
  const count = (/** @type {string[]} */ ...phases) => items.filter((each) => phases.includes(each.phase)).length
  const parts = { done: count('done'), busy: count('waiting', 'uploading', 'running'), refused: count('refused', 'lost'), skipped: count('skipped') }
  return Object.entries(parts)
    .filter(([, n]) => n)
    .map(([key, n]) => t(`sum.${key}`, { n }))
    .join(' · ')
}

/** @param {Item} item @param {number} ahead @returns {string} */
function stateText(item, ahead) {
  switch (item.phase) {
    case 'waiting':
      return ahead ? t('waiting.n', { n: ahead }) : t('waiting')
    case 'uploading':
      return t('uploading', { pct: Math.round(item.sent * 100) })
    case 'running':
      return stepOf(item).text
    case 'done':
      return viewOf(item).done(item)
    case 'refused':
      return titleOf(item.trouble)
    default:
      return t(item.phase)
  }
}

/** @param {{ item: Item, ahead: number, page: Page }} given */
function Row({ item, ahead, page }) {
  const { phase, thumb, cut, trouble } = item
  const odd = phase === 'refused' || phase === 'lost'
  const grey = ['waiting', 'uploading', 'refused', 'lost', 'cancelled', 'deleted', 'skipped'].includes(phase)
  const { index, steps, share } = stepOf(item)
  const picture = (phase === 'done' && cut) || thumb
  const current = page.store.state.current === item.id
  return html`<li>
    <button class="row" type="button" aria-current=${current ? 'true' : undefined}
      onClick=${() => page.store.set({ current: item.id, home: false, zoom: 0 })}>
      <span class=${`thumb ${phase === 'done' && cut ? 'cut' : ''} ${grey ? 'wait' : ''} ${picture ? '' : 'glyph'} ${odd ? 'odd' : ''}`}>
        ${picture ? html`<img src=${picture} alt="" />` : icon(viewOf(item).icon)}
      </span>
      <span class="words">
        <b>${item.name}</b>
        <span class=${`state ${odd ? 'odd' : ''}`}>${stateText(item, ahead)}</span>
        ${phase === 'uploading' && html`<${Bar} share=${item.sent} label=${item.name} />`}
        ${phase === 'running' && html`<${Bar} share=${share} label=${item.name} />`}
      </span>
      ${phase === 'running' && html`<span class="of">${index + 1}/${steps.length}</span>`}
      ${odd && icon('alert', 'odd')}
    </button>
    ${(phase === 'uploading' || phase === 'waiting') &&
    html`<button class="ib tiny" type="button" aria-label=${`${t('cancel')}: ${item.name}`} title=${t('cancel')}
      onClick=${() => page.queue.cancel(item.id)}>${icon('close', 's')}</button>`}
    ${(phase === 'cancelled' || phase === 'deleted' || (phase === 'refused' && trouble?.again)) &&
    html`<button class="small" type="button" aria-label=${`${t('retry')}: ${item.name}`}
      onClick=${() => page.queue.retry(item.id)}>${t('retry')}</button>`}
  </li>`
}

/** @param {Page} page @param {Item[]} done @param {(text: string) => void} show @param {string} [called] */
export async function saveAll(page, done, show, called = 'matteline') {
  let packed = 0
  let failed = 0
  const names = new Set()
  async function* files() {
    for (const item of done) {
      show(t('zip.busy', { i: packed + 1, total: done.length }))
      try {
        for (const file of await viewOf(item).finished(item, page)) {
          const [, stem, end] = /** @type {RegExpExecArray} */ (/^(.*?)(\.\w+)?$/.exec(file.name))
          let name = file.name
          for (let n = 2; names.has(name); n += 1) name = `${stem} (${n})${end ?? ''}`
          names.add(name)
          yield { name, input: file }
        }
      } catch {
        failed += 1 // the rest is still worth having; it is said below
      }
      packed += 1
    }
  }
  const { downloadZip } = await import('../vendor/client-zip.js')
  const zip = await downloadZip(files()).blob()
  if (names.size) save(zip, `${called}.zip`)
  show(failed ? t('zip.failed') : '')
  if (failed) page.say(t('zip.failed'))
}

/** @param {{ page: Page }} given */
export function Queue({ page }) {
  const { items } = page.store.state
  const [packing, setPacking] = useState('')
  const done = items.filter((each) => each.phase === 'done')
  const line = items.filter((each) => each.phase === 'waiting').sort((a, b) => a.group - b.group || a.place - b.place)
  return html`<nav class="queue" aria-label=${t('queue')}>
    <${Brand} page=${page} />
    <button class="btn soft" type="button" onClick=${() => page.choose()}>${icon('plus')}${t('add')}</button>
    <${Making} page=${page} />
    <p class="tally">${summary(items)}</p>
    <ul class="list">
      ${items.map((item) => html`<${Row} key=${item.id} item=${item} page=${page} ahead=${Math.max(0, line.indexOf(item))} />`)}
    </ul>
    ${done.length > 0 &&
    html`<div class="foot">
      <button class="btn soft" type="button" disabled=${packing.length > 0 && packing !== t('zip.failed')}
        onClick=${() => saveAll(page, done, setPacking)}>
        <em>${icon('download')}${t('zip')}</em><span>${packing || t('zip.sub', { n: done.length })}</span>
      </button>
    </div>`}
  </nav>`
}
