/** Listen to a recording and read what is said in it. */

import { t } from '../../core/i18n.js'
import { styled } from '../../parts/controls.js'
import { Refused } from '../../parts/trouble.js'
import { html, useEffect, useRef } from '../../vendor/htm-preact.js'
import { Find } from './find.js'
import { sessionOf, useChanges } from './session.js'
import { Timeline } from './timeline.js'
import { Transport } from './transport.js'
import { makeWords } from './words.js'

/** @import { Item, Page } from '../../core/types' */
/** @import { Session } from './session.js' */
/** @import { Words } from './words.js' */

await styled('css/transcript.css')

const FIELDS = 'input:not([type=range]), textarea, select, dialog, [popover]'
const PRESSED = 'button, summary, a' // Space presses them
const MOVED = '[role=tab], [role=button]' // arrows move between them

/** @param {{ session: Session, page: Page }} given */
function Reading({ session, page }) {
  const { transcript, edits, player, names } = session
  const root = useRef(/** @type {any} */ (null))
  const words = useRef(/** @type {Words | undefined} */ (undefined))
  useEffect(() => {
    if (!transcript || !edits) return
    words.current = makeWords(root.current, session, page)
    player.open()
    session.changed() // what is beside it may use the words from now on
    return () => {
      words.current?.close()
      player.pause()
    }
  }, [session])
  useEffect(() => words.current?.name(), [names, t('speaker.n')])
  useEffect(() => {
    /** @param {KeyboardEvent} event */
    const onKeyDown = (event) => {
      const on = /** @type {Element} */ (event.target)
      const { key } = event
      if (on.closest(FIELDS) || event.defaultPrevented || event.altKey) return
      if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === 'z' && !event.shiftKey) words.current?.undo()
      else if (event.ctrlKey || event.metaKey) return
      else if (key === ' ' && !on.closest(PRESSED)) player.toggle()
      else if ((key === 'ArrowLeft' || key === 'ArrowRight') && !on.closest(MOVED)) player.skip(key === 'ArrowLeft' ? -1 : 1)
      else if (key === '/') document.getElementById('find')?.focus()
      else return
      event.preventDefault()
    }
    document.addEventListener('keydown', onKeyDown)
    return () => document.removeEventListener('keydown', onKeyDown)
  }, [session])
  const count = edits?.steps ?? 0
  return html`<div class="reader">
    <div class="desk">
      <${Transport} session=${session} />
      ${transcript && html`<${Timeline} session=${session} />`}
      ${transcript && transcript.words.length > 0 && html`<div class="tools">
        <${Find} session=${session} words=${words} />
        <button class="btn bare" type="button" hidden=${!count} onClick=${() => words.current?.undo()}>${t('undo.n', { n: count })}</button>
        <button class="btn soft" type="button" hidden=${words.current?.follows !== false} onClick=${() => words.current?.follow()}>${t('follow')}</button>
      </div>`}
      ${edits?.kept === false && html`<p class="note odd" role="alert">${t('edits.lost')}</p>`}
    </div>
    <div class="said" role="region" tabindex="0" aria-label=${t('text')}>
      ${transcript && !transcript.words.length && html`<p class="quiet">${t('silent')}</p>`}
      <div class="turns" ref=${root}></div>
      <p class="sr" id="word-keys">${t('word.keys')}</p>
    </div>
  </div>`
}

/** @param {{ item: Item, page: Page }} given */
export function Reader({ item, page }) {
  const session = sessionOf(item, page)
  useChanges(session)
  const { error, transcript } = session
  const away = Boolean(page.store.state.away)
  useEffect(() => {
    if (!away) session.load()
  }, [session, away])
  if (error) {
    const trouble = { ...error.trouble, again: Boolean(item.key) }
    return html`<${Refused} item=${{ ...item, trouble }} page=${page} />`
  }
  if (!transcript) return html`<div class="canvas"><span class="pill"><i class="spin"></i>${t('res.loading')}</span></div>`
  return html`<${Reading} session=${session} page=${page} key=${`${session.job} ${transcript.digest}`} />`
}
