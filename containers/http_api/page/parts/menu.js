/** What else can be done with the open file; and its record, as the service wrote it. */

import { t } from '../core/i18n.js'
import { html, useRef, useState } from '../vendor/htm-preact.js'
import { icon } from './icon.js'

/** @import { Item, Page } from '../core/types' */

/** @param {{ item: Item, page: Page }} given */
export function Menu({ item, page }) {
  const menu = useRef(/** @type {HTMLElement | null} */ (null))
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null))
  const [record, setRecord] = useState('')
  const [result] = item.results ?? []

  async function show() {
    const answer = await fetch(item.record?.url ?? '')
    setRecord(answer.ok ? JSON.stringify(await answer.json(), null, 2) : t('error.resultgone'))
    dialog.current?.showModal()
  }
  /** @param {() => unknown} act */
  const then = (act) => () => {
    menu.current?.hidePopover()
    act()
  }
  const copied = (/** @type {string} */ text) =>
    navigator.clipboard.writeText(text).then(() => page.say(t('copied')), () => page.say(t('copy.failed')))

  return html`
    <button class="ib" type="button" aria-label=${t('more')} title=${t('more')} popovertarget="more">${icon('more')}</button>
    <div class="menu" id="more" popover="auto" ref=${menu}>
      ${item.phase === 'done' && result &&
      html`<button type="button" onClick=${then(() => copied(result.url))}>${t('copy.link')}</button>
        <button type="button" onClick=${then(show)}>${t('record')}</button>
        <button type="button" onClick=${then(() => page.queue.again(item.id, item.options))}>${t('again')}</button>
        <button type="button" onClick=${then(() => confirm(t('delete.sure', { name: item.name })) && page.queue.deleteResults(item.id))}>
          ${t('delete')}</button>`}
      ${['waiting', 'uploading', 'running'].includes(item.phase) &&
      html`<button type="button" onClick=${then(() => page.queue.cancel(item.id))}>${t('cancel')}</button>`}
      <button type="button" onClick=${then(() => page.queue.remove(item.id))}>${t('remove')}</button>
    </div>
    <dialog class="record" ref=${dialog} aria-labelledby="record-name">
      <div class="popped-head"><h2 id="record-name">${t('record')}</h2>
        <button class="ib" type="button" aria-label=${t('close')} onClick=${() => dialog.current?.close()}>${icon('close')}</button>
      </div>
      <pre tabindex="0" lang="en">${record}</pre>
      <button class="btn soft" type="button" onClick=${() => copied(record)}>${icon('copy')}${t('copy.details')}</button>
    </dialog>`
}
