/** What was refused for good: why, what can be done, and its release with other options. */

import { Problem, ask } from '../../core/api.js'
import { t } from '../../core/i18n.js'
import { Confirm } from '../../parts/confirm.js'
import { titleOf } from '../../parts/trouble.js'
import { html, useState } from '../../vendor/htm-preact.js'
import { isObject, OptionsField } from './acts.js'
import { post, useAnswer } from './asking.js'
import { faultsOf } from './editor.js'
import { Head, Rest } from './frame.js'
import { read } from './locate.js'
import { to } from './place.js'
import { moment } from './words.js'

/** @import { Page } from '../../core/types' */
/** @import { Quarantined } from './types' */

const EVERY_MS = 10_000

/** @param {{ page: Page, item: Quarantined, onEnd: () => void }} given */
function Release({ page, item, onEnd }) {
  const before = JSON.stringify(item.options ?? {}, null, 2)
  const [text, setText] = useState(before)
  const [wrong, setWrong] = useState(/** @type {Problem | undefined} */ (undefined))
  const [busy, setBusy] = useState(false)
  async function release() {
    setBusy(true)
    setWrong(undefined)
    try {
      const body = text === before ? {} : { options: read(text).value }
      const { machine, name } = await post(page, `/console/quarantine/${encodeURIComponent(item.id)}/release`, body)
      page.say(t('c.release.done'))
      location.hash = to('executions', machine, name)
    } catch (error) {
      if (error instanceof Problem) setWrong(error)
      setBusy(false)
    }
  }
  return html`<${Confirm} title=${t('c.release.sure')} says=${[t('c.release.what')]} yes=${t('c.release')} ready=${!busy && isObject(text)} stays=${true}
    onYes=${release} onEnd=${onEnd}>
    <${OptionsField} id="release-options" text=${text} faults=${wrong ? faultsOf(wrong) : []} onInput=${(/** @type {string} */ given) => (setText(given), setWrong(undefined))} />
    ${wrong && html`<p class="note odd" role="alert" lang="en">${titleOf(wrong.trouble)}${wrong.trouble.detail && `: ${wrong.trouble.detail}`}</p>`}
  <//>`
}

/** @param {{ page: Page }} given */
export function Quarantine({ page }) {
  const { answer, problem, again } = useAnswer(page, '/console/quarantine', () => EVERY_MS)
  const [more, setMore] = useState(/** @type {{ items: Quarantined[], cursor?: string | null }} */ ({ items: [] }))
  const [releases, setReleases] = useState(/** @type {Quarantined | undefined} */ (undefined))
  const fresh = /** @type {Quarantined[]} */ (answer?.items ?? [])
  const items = [...fresh, ...more.items.filter(({ id }) => !fresh.some((each) => each.id === id))]
  const cursor = more.cursor === undefined ? answer?.cursor : more.cursor
  const load = () =>
    ask('GET', `/console/quarantine?cursor=${encodeURIComponent(cursor)}`).then(
      (next) => setMore({ items: [...more.items, ...next.items], cursor: next.cursor }),
      (error) => page.queue.heed(error),
    )
  return html`<${Head} title=${t('c.quarantine')} says=${t('c.quarantine.what')} />
    <${Rest} ready=${Boolean(answer)} problem=${problem} again=${again}>
      ${items.length ? html`<ul class="rows of-refused">${items.map((item) => html`<li class="row-of" key=${item.id}>
          <div class="what"><b>${item.key}</b><p class="quiet">${item.product && `${item.product} · `}${moment(item.at)}</p></div>
          <div class="why-of" lang="en"><b class="odd">${item.error}</b><p>${item.message}</p><p class="quiet">${item.hint}</p></div>
          <p class="acts"><button class="btn soft" type="button" aria-label=${t('c.release.of', { key: item.key })} onClick=${() => setReleases(item)}>${t('c.release')}</button></p>
        </li>`)}</ul>` : html`<p class="wait">${t('c.quarantine.none')}</p>`}
      ${cursor && html`<button class="btn soft" type="button" onClick=${load}>${t('c.more')}</button>`}
    <//>
    ${releases && html`<${Release} key=${releases.id} page=${page} item=${releases} onEnd=${() => setReleases(undefined)} />`}`
}
