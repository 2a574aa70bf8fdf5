/** Select's stage: the photo with its marks, and what the model takes them for. */

import { seconds, t } from '../../../core/i18n.js'
import { styled, useBlob } from '../../../parts/controls.js'
import { icon } from '../../../parts/icon.js'
import { useScale } from '../../../parts/picture.js'
import { titleOf } from '../../../parts/trouble.js'
import { html, useEffect, useLayoutEffect, useRef, useState } from '../../../vendor/htm-preact.js'
import { actsOf, answerTo, historyOf, shownOf } from './acts.js'
import { makeHands } from './hands.js'
import { questionsOf } from './marks.js'

/** @import { Answer, Box, Item, Mark, Marks, Page, Subject } from '../../../core/types' */
/** @import { Acts } from './acts.js' */
/** @import { Draft, Place, Tool } from './hands.js' */

await styled('css/select.css')

const SLOW_MS = 3000
const MOST_ZOOM = 8
/** @param {{ item: Item, page: Page, acts: Acts, nothing: boolean }} given */
function Chip({ item, acts, nothing }) {
  const { state = 'preparing', ms, trouble } = item.selecting ?? {}
  const [slow, setSlow] = useState(false)
  const waits = state === 'asking' || state === 'preparing' || state === 'expired'
  useEffect(() => {
    setSlow(false)
    const timer = setTimeout(() => setSlow(waits), SLOW_MS)
    return () => clearTimeout(timer)
  }, [state, item.marks])
  const words = {
    preparing: t('sel.preparing'), expired: t('sel.expired'), asking: t('sel.asking'),
    stopped: trouble ? titleOf(trouble) : t('sel.stopped'),
    ready: nothing ? t('sel.none') : ms === undefined ? t('sel.ready') : t('sel.updated', { s: seconds(ms) }),
  }[state]
  const marked = questionsOf(historyOf(item).now).length > 0
  return html`<span class="chip pill">
    ${state === 'stopped' ? icon('alert', 's') : html`<i class=${waits ? 'spin' : 'ok'}></i>`}<span>${words}</span>
    ${slow && waits && marked && html`<button type="button" onClick=${acts.cancel}>${t('cancel')}</button>`}
    ${state === 'stopped' && html`<button type="button" onClick=${acts.session.enter}>${t('retry')}</button>`}
  </span>`
}

/** @param {{ at: number, subject: Subject, draft: Draft, waits: boolean }} given A subject's marks. */
function Marked({ at, subject, draft, waits }) {
  const moved = (/** @type {number} */ point) => {
    const { mark, dx = 0, dy = 0 } = draft.moving ?? {}
    return mark?.subject === at && mark.point === point ? { dx, dy } : { dx: 0, dy: 0 }
  }
  const { box } = subject
  return html`
    ${box && !(draft.moving && draft.moving.mark.subject === at && draft.moving.mark.point === undefined) &&
    html`<${Boxed} box=${box} mark=${{ subject: at }} />`}
    ${subject.points.map(({ x, y, label }, point) => {
      const { dx, dy } = moved(point)
      return html`<span class=${`pt ${label ? '' : 'not'} ${waits && point === subject.points.length - 1 ? 'asks' : ''}`}
        data-mark=${JSON.stringify({ subject: at, point })}
        style=${{ left: `${(x + dx) * 100}%`, top: `${(y + dy) * 100}%` }}>${icon(label ? 'plus' : 'minus')}</span>`
    })}`
}

/** @param {{ box: Box, mark?: Mark }} given With a mark: a handle to remove or move it. */
const Boxed = ({ box: { x0, y0, x1, y1 }, mark }) => html`<span class="boxed" style=${{
  left: `${Math.min(x0, x1) * 100}%`, top: `${Math.min(y0, y1) * 100}%`,
  width: `${Math.abs(x1 - x0) * 100}%`, height: `${Math.abs(y1 - y0) * 100}%`,
}}>${mark && html`<span class="pt" data-mark=${JSON.stringify(mark)}>${icon('box')}</span>`}</span>`

const touches = () => matchMedia('(pointer: coarse)').matches

/** @param {{ item: Item, page: Page }} given */
export function Body({ item, page }) {
  const { zoom, away } = page.store.state
  const picture = useRef(/** @type {HTMLElement | null} */ (null))
  const [tool, setTool] = useState(/** @type {Tool} */ ('keep'))
  const [draft, show] = useState(/** @type {Draft} */ ({}))
  const [blind, setBlind] = useState(false)
  const { url, missing } = useBlob(() => page.queue.photo(item.id), [item.id, item.shown])
  const { width = 4, height = 3 } = item
  const scale = useScale(picture, width)
  const acts = actsOf(item, page)
  const { now, past, future } = historyOf(item)
  const unseen = missing || (blind && !item.shown)

  useEffect(() => {
    if (!away) acts.session.enter()
  }, [item.id, !away])
  useEffect(() => {
    if (unseen) acts.session.show()
  }, [unseen])

  const cut = now.subjects.map((each) => shownOf(item, each)).filter((each) => each !== undefined)
  const grid = Object.values(item.selecting?.answers ?? {})[0]?.grid
  const waits = item.selecting?.state === 'asking'
  const answered = now.subjects.some((each) => answerTo(item, each))
  const share = Math.min(100, Math.round(100 * cut.reduce((sum, { area }) => sum + area, 0)))
  useEffect(() => {
    if (item.selecting?.ms !== undefined) page.say(share ? t('sel.live', { p: share }) : t('sel.none'))
  }, [item.selecting?.ms])

  // What was under the pointer stays there when the size changes.
  const anchor = useRef(/** @type {{ clientX: number, clientY: number, x: number, y: number } | null} */ (null))
  useLayoutEffect(() => {
    const frame = picture.current?.parentElement
    const rect = picture.current?.getBoundingClientRect()
    if (!anchor.current || !frame || !rect) return
    const { clientX, clientY, x, y } = anchor.current
    frame.scrollBy(rect.left + x * rect.width - clientX, rect.top + y * rect.height - clientY)
    anchor.current = null
  }, [zoom])

  /** @param {number} factor @param {{ clientX: number, clientY: number }} [at] */
  function zoomBy(factor, at) {
    const rect = picture.current?.getBoundingClientRect()
    const frame = picture.current?.parentElement?.getBoundingClientRect()
    if (!rect || !frame) return
    const { clientX, clientY } = at ?? { clientX: frame.left + frame.width / 2, clientY: frame.top + frame.height / 2 }
    anchor.current = { clientX, clientY, x: (clientX - rect.left) / rect.width, y: (clientY - rect.top) / rect.height }
    const next = Math.min(MOST_ZOOM, (page.store.state.zoom || scale) * factor)
    page.store.set({ zoom: width * next <= frame.width && height * next <= frame.height ? 0 : next })
  }

  const state = useRef(/** @type {any} */ (null))
  state.current = {
    picture: picture.current, tool, draft, show,
    acts: {
      ...acts,
      zoom: zoomBy,
      leave: () => document.getElementById('mode-select')?.focus(),
      crossed: (/** @type {Place} */ { x, y }) =>
        page.say(t('crosshair', { x: Math.round(x * 100), y: Math.round(y * 100) })),
    },
  }
  const [hands] = useState(() => makeHands(() => state.current))
  const tools = /** @type {const} */ ([['keep', 'plus'], ['drop', 'minus'], ['box', 'box']])
  const { cross, held } = draft

  return html`
    <div class=${`canvas ${zoom ? 'zoomed' : ''}`}>
      <div class=${`pic selecting ${cut.length ? 'cutting' : ''}`} ref=${picture} role="application" tabindex="0"
        aria-label=${t(touches() ? 'sel.touch' : 'sel.title')} aria-describedby="photo-keys"
        style=${{ '--w': width, '--h': height, width: zoom ? `${width * zoom}px` : '' }} ...${hands}>
        ${url && html`<img class="rest" src=${url} alt="" draggable=${false} onError=${() => setBlind(true)} />`}
        ${url && grid && cut.length > 0 && html`
          <${Clip} id="kept" paths=${cut.map(({ path }) => path)} grid=${grid} />
          <img class="kept" src=${url} alt="" draggable=${false} style=${{ clipPath: 'url(#kept)' }} />
          <svg class="matte-line" viewBox=${`${grid.photo.x} ${grid.photo.y} ${grid.photo.width} ${grid.photo.height}`}
            preserveAspectRatio="none" aria-hidden="true">
            ${['white', 'green'].map((line) => cut.map(({ path }) => html`<path class=${line} d=${path} />`))}</svg>`}
        ${now.subjects.map((subject, at) => html`<${Marked} key=${subject.id} at=${at} subject=${subject} draft=${draft}
          waits=${waits && at === now.at} />`)}
        ${draft.box && html`<${Boxed} box=${draft.box} />`}
        ${draft.moving && draft.moving.mark.point === undefined && html`<${Boxed} box=${boxMoved(now, draft.moving)} />`}
        ${cross && html`<i class="cross" style=${{ '--x': `${cross.x * 100}%`, '--y': `${cross.y * 100}%` }}></i>`}
        ${held && url && html`<span class="loupe" style=${{ '--x': held.x, '--y': held.y }}><img src=${url} alt=""
          style=${{ width: `${2 * width * scale}px`, height: `${2 * height * scale}px`,
            translate: `${-held.x * 2 * width * scale}px ${-held.y * 2 * height * scale}px` }} /></span>`}
        <${Chip} item=${item} acts=${acts} nothing=${answered && !share} />
      </div>
      <p class="sr" id="photo-keys">${t('photo.keys')}</p>
    </div>
    <div class="stage-foot">
      <div class="dock">
        <div class="tools" role="radiogroup" aria-label=${t('select')}>
          ${tools.map(([id, sign]) => html`<label class="tool">
            <input class="sr" type="radio" name="tool" checked=${tool === id} onChange=${() => setTool(id)} />
            ${icon(sign)}<span class="only-wide">${t(id)}</span><span class="sr only-small">${t(id)}</span></label>`)}
        </div>
        <hr />
        ${/** @type {const} */ ([['undo', past], ['redo', future]]).map(([id, steps]) => html`
          <button class="ib" type="button" aria-label=${t(id)} title=${t(id)} disabled=${!steps.length}
            onClick=${acts[id]}>${icon(id)}</button>`)}
      </div>
    </div>`
}

/** @param {Marks} marks @param {NonNullable<Draft['moving']>} moving */
function boxMoved({ subjects }, { mark, dx, dy }) {
  const { x0, y0, x1, y1 } = subjects[mark.subject].box ?? { x0: 0, y0: 0, x1: 0, y1: 0 }
  return { x0: x0 + dx, y0: y0 + dy, x1: x1 + dx, y1: y1 + dy }
}

/** @param {{ id: string, paths: string[], grid: Answer['grid'] }} given Cuts a picture of the whole photo, at any size. */
export const Clip = ({ id, paths, grid: { photo } }) => html`<svg class="none" aria-hidden="true">
  <clipPath id=${id} clipPathUnits="objectBoundingBox">
  ${paths.map((path) => html`<path clip-rule="evenodd" d=${path}
    transform=${`scale(${1 / photo.width} ${1 / photo.height}) translate(${-photo.x} ${-photo.y})`} />`)}</clipPath></svg>`
