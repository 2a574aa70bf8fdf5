/** Why a file has no result, and what its owner can do. */

import { has, language, t } from '../core/i18n.js'
import { html } from '../vendor/htm-preact.js'
import { modesOf } from '../views/index.js'
import { icon } from './icon.js'

/** @import { Item, Page, Trouble } from '../core/types' */

/** @param {Trouble | undefined} trouble */
export function titleOf(trouble) {
  const { name = 'JobFailed', title = '' } = trouble ?? {}
  const key = `error.${name.toLowerCase()}` // the API's problems have it so, jobs and records do not
  if (has(key)) return t(key)
  return title || name.replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
}

/**
 * The service's words are English: where the user reads another language, ours come first.
 * @param {Trouble} trouble @param {'why' | 'do'} kind
 * @returns {{ text: string, lang?: string }}
 */
function words({ name, detail, hint }, kind) {
  const theirs = kind === 'why' ? detail : hint
  const key = `error.${name.toLowerCase()}.${kind}`
  if (has(key) && (language() !== 'en' || !theirs)) return { text: t(key) }
  return { text: theirs, lang: 'en' }
}

/** @param {string} text */
const sentences = (text) => text.split(/(?<=[.。])\s+/u).filter(Boolean)

/** @param {string} text */
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1)

/** @param {{ item: Item, page: Page }} given */
export function Refused({ item, page }) {
  const trouble = item.trouble ?? { name: 'JobFailed', title: '', detail: '', hint: '' }
  const why = words(trouble, 'why')
  const hint = words(trouble, 'do')
  const details = () => {
    const { name, detail, id } = trouble
    navigator.clipboard.writeText([item.name, name, detail, id, item.upload, item.key].filter(Boolean).join('\n')).then(
      () => page.say(t('copied')),
      () => page.say(t('copy.failed')),
    )
  }
  return html`<div class="canvas">
    <div class="sorry" role="alert">
      ${item.thumb &&
      html`<div class="shot"><img src=${item.thumb} alt="" />
        ${item.width && item.height && html`<span>${item.width} × ${item.height}</span>`}</div>`}
      <div>
        <h2>${icon('alert')}${titleOf(trouble)}</h2>
        ${why.text && html`<p class="why" lang=${why.lang}>${capital(why.text)}</p>`}
      </div>
      ${hint.text &&
      html`<div><h3>${t('ref.do')}</h3>
        <ol>${sentences(hint.text).map((each) => html`<li><span lang=${hint.lang}>${capital(each)}</span></li>`)}</ol></div>`}
      <div class="act">
        ${item.phase === 'refused' && modesOf(item, page).map(({ id }) => html`<button class="btn primary" type="button"
          onClick=${() => page.store.set({ mode: id, zoom: 0 })}>${t(`${id}.instead`)}</button>`)}
        ${trouble.again
          ? html`<button class="btn primary" type="button" onClick=${() => page.queue.retry(item.id)}>${t('retry')}</button>`
          : html`<button class="btn primary" type="button" onClick=${() => page.choose({ instead: item.id })}>${t('replace')}</button>`}
        <button class="btn soft" type="button" onClick=${() => page.queue.remove(item.id)}>${t('remove')}</button>
      </div>
      <p class="fine"><span>${t('ref.kept')}</span>
        <button type="button" onClick=${details}>${t('copy.details')}</button></p>
    </div>
  </div>`
}
