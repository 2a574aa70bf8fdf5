/** Find words in the transcript. */

import { t } from '../../core/i18n.js'
import { icon } from '../../parts/icon.js'
import { html, useEffect, useState } from '../../vendor/htm-preact.js'
import { lastBegun } from './document.js'

/** @import { Run, Word } from './document.js' */
/** @import { Session } from './session.js' */
/** @import { Words } from './words.js' */

/** @param {string} text */
const plain = (text) => text.normalize('NFKC').toLowerCase().replace(/\s+/gu, ' ')

/**
 * Where a text is said, also over several words; capitals do not matter.
 * @param {Word[]} words @param {string[]} texts @param {string} wanted
 * @returns {Run[]}
 */
export function found(words, texts, wanted) {
  const sought = plain(wanted).trim()
  if (!sought) return []
  let all = ''
  /** @type {number[]} */
  const starts = []
  for (const [at, { space }] of words.entries()) {
    if (texts[at]) all += space
    starts.push(all.length)
    all += plain(texts[at])
  }
  const runs = []
  for (let at = all.indexOf(sought); at >= 0; at = all.indexOf(sought, at + sought.length)) {
    runs.push({ first: lastBegun(starts, at), last: lastBegun(starts, at + sought.length - 1) + 1 })
  }
  return runs
}

/** @param {{ session: Session, words: { current?: Words } }} given */
export function Find({ session, words }) {
  const [wanted, want] = useState('')
  const [place, move] = useState(0)
  const { transcript, edits } = session
  const runs = transcript && edits ? found(transcript.words, edits.texts, wanted) : []
  const at = runs.length ? ((place % runs.length) + runs.length) % runs.length : -1
  useEffect(() => words.current?.mark(runs, at), [wanted, place, edits?.steps])
  const none = !wanted.trim()
  /** @param {KeyboardEvent} event */
  const onKeyDown = (event) => {
    if (event.key === 'Enter' && !event.isComposing) move(place + (event.shiftKey ? -1 : 1))
    else if (event.key === 'Escape') want('')
    else return
    event.preventDefault()
  }
  return html`<div class="find" role="search">
    <label class="field">${icon('search', 's')}
      <input type="text" id="find" autocomplete="off" spellcheck=${false} aria-label=${t('find')} placeholder=${t('find')} value=${wanted}
        onInput=${(/** @type {any} */ e) => {
          want(e.target.value)
          move(0)
        }} onKeyDown=${onKeyDown} /></label>
    <span class="of" role="status">${none ? '' : runs.length ? t('found', { i: at + 1, total: runs.length }) : t('found.none')}</span>
    ${[['find.back', -1, 'up'], ['find.next', 1, 'down']].map(([text, step, look]) => html`<button class="ib" type="button"
      hidden=${!runs.length} aria-label=${t(`${text}`)} title=${t(`${text}`)} onClick=${() => move(place + Number(step))}>${icon(`${look}`)}</button>`)}
  </div>`
}
