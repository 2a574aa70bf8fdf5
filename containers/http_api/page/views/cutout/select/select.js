/** Select: click what is to be kept, see what the model takes it for, and have it cut out. */

import { number, seconds, t } from '../../../core/i18n.js'
import { styled, useBlob } from '../../../parts/controls.js'
import { icon } from '../../../parts/icon.js'
import { titleOf } from '../../../parts/trouble.js'
import { html, useEffect, useLayoutEffect, useRef, useState } from '../../../vendor/htm-preact.js'
import { useScale } from '../picture.js'
import { makeHands } from './hands.js'
import * as marking from './marks.js'
import { sessionOf } from './session.js'

/** @import { Answer, Candidate, History, Item, Mark, Marks, Page, Subject } from '../../../core/types' */
/** @import { Draft, Tool } from './hands.js' */

await styled('css/select.css')

const SLOW_MS = 3000
const MOST_ZOOM = 8
/** @type {Map<string, Candidate>} the latest candidate of each subject: shown until the next comes */
const latest = new Map()

/** @param {Item} item */
const historyOf = ({ marks }) => marks ?? marking.FRESH

/** @param {Item} item @param {Subject} subject @param {boolean} [chosen] @returns {Answer | undefined} */
function answerTo({ selecting }, subject, chosen) {
  return selecting?.answers[JSON.stringify(marking.promptOf(subject, chosen))]
}

/** @param {Item} item @param {Subject} subject @returns {Candidate | undefined} what is cut out; until it is known, what was */
function shownOf(item, subject) {
  const key = `${item.id} ${subject.id}`
  if (!marking.promptOf(subject)) return undefined
  const exact = answerTo(item, subject)
  const first = answerTo(item, subject, false)
  const found = exact?.candidates[exact.best] ?? first?.candidates[subject.choice?.rank ?? first.best]
  if (found) latest.set(key, found)
  return found ?? latest.get(key)
}

/** @param {Item} item @param {Page} page @returns what is done with marks: each change is noted, asked about, and said */
function actsOf(item, page) {
  const { queue, say } = page
  const session = sessionOf(item.id, page)
  const history = () => historyOf(page.store.item(item.id) ?? item)
  /** @param {History} next @param {string} [words] */
  const become = (next, words) => {
    if (next === history()) return
    queue.setMarks(item.id, next)
    if (words) say(words)
    session.sync()
  }
  /** @param {Marks} marks @param {string} [words] */
  const set = (marks, words) => become(marking.stepped(history(), marks), words)
  return {
    /** @param {{ x: number, y: number }} place @param {0 | 1} label */
    point: ({ x, y }, label) => set(marking.addPoint(history().now, x, y, label), t(label ? 'mark.keep' : 'mark.drop')),
    /** @param {import('../../../core/types').Box} box */
    box: (box) => set(marking.setBox(history().now, box), t('box')),
    /** @param {Mark} mark */
    remove: (mark) => set(marking.removeMark(history().now, mark)),
    /** @param {Mark} mark @param {number} dx @param {number} dy */
    move: (mark, dx, dy) => set(marking.moveMark(history().now, mark, dx, dy)),
    removeLast: () => set(marking.removeLast(history().now)),
    /** @param {number} rank */
    choose(rank) {
      const { now } = history()
      const found = answerTo(page.store.item(item.id) ?? item, now.subjects[now.at], false)
      const each = found?.candidates[rank]
      if (found && each) set(marking.choose(now, rank === found.best ? undefined : { rank, box: each.box }), nameOf(found, rank))
    },
    addSubject: () => set(marking.addSubject(history().now), t('subject.add')),
    /** @param {number} at */
    removeSubject: (at) => set(marking.removeSubject(history().now, at)),
    /** @param {number} at Which subject the next marks belong to: no step of its own. */
    turnTo: (at) => become({ ...history(), now: { ...history().now, at } }),
    undo: () => become(marking.undone(history()), t('undone')),
    redo: () => become(marking.redone(history())),
    /** Give up the answer that is awaited, and the marks that ask for it. */
    cancel() {
      let before = marking.undone(history())
      const known = page.store.item(item.id)?.selecting?.answers ?? {}
      while (before.past.length && marking.questionsOf(before.now).some((each) => !known[each])) before = marking.undone(before)
      session.stop()
      become(before)
    },
    session,
  }
}

/** @param {Answer} answer @param {number} rank */
const nameOf = ({ candidates }, rank) =>
  t('cand', { i: rank + 1, total: candidates.length, p: Math.round(100 * Math.min(1, candidates[rank].score)) })

/** @param {{ item: Item, page: Page, acts: ReturnType<typeof actsOf>, nothing: boolean }} given */
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
  const marked = marking.questionsOf(historyOf(item).now).length > 0
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

/** @param {{ box: import('../../../core/types').Box, mark?: Mark }} given With a mark: a handle to remove or move it. */
const Boxed = ({ box: { x0, y0, x1, y1 }, mark }) => html`<span class="boxed" style=${{
  left: `${Math.min(x0, x1) * 100}%`, top: `${Math.min(y0, y1) * 100}%`,
  width: `${Math.abs(x1 - x0) * 100}%`, height: `${Math.abs(y1 - y0) * 100}%`,
}}>${mark && html`<span class="pt" data-mark=${JSON.stringify(mark)}>${icon('box')}</span>`}</span>`

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
      crossed: (/** @type {{ x: number, y: number }} */ { x, y }) => page.say(t('crosshair', { x: Math.round(x * 100), y: Math.round(y * 100) })),
    },
  }
  const [hands] = useState(() => makeHands(() => state.current))
  const tools = /** @type {const} */ ([['keep', 'plus'], ['drop', 'minus'], ['box', 'box']])
  const { cross, held } = draft

  return html`
    <div class=${`canvas ${zoom ? 'zoomed' : ''}`}>
      <div class=${`pic selecting ${cut.length ? 'cutting' : ''}`} ref=${picture} role="application" tabindex="0"
        aria-label=${t('sel.title')} aria-describedby="photo-keys"
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
        <button class="ib" type="button" aria-label=${t('undo')} title=${t('undo')} disabled=${!past.length} onClick=${acts.undo}>${icon('undo')}</button>
        <button class="ib" type="button" aria-label=${t('redo')} title=${t('redo')} disabled=${!future.length} onClick=${acts.redo}>${icon('redo')}</button>
      </div>
    </div>`
}

/** @param {Marks} marks @param {NonNullable<Draft['moving']>} moving */
function boxMoved({ subjects }, { mark, dx, dy }) {
  const { x0, y0, x1, y1 } = subjects[mark.subject].box ?? { x0: 0, y0: 0, x1: 0, y1: 0 }
  return { x0: x0 + dx, y0: y0 + dy, x1: x1 + dx, y1: y1 + dy }
}

/** @param {{ id: string, paths: string[], grid: Answer['grid'] }} given Cuts a picture of the whole photo, at any size. */
const Clip = ({ id, paths, grid: { photo } }) => html`<svg class="none" aria-hidden="true"><clipPath id=${id} clipPathUnits="objectBoundingBox">
  ${paths.map((path) => html`<path clip-rule="evenodd" d=${path}
    transform=${`scale(${1 / photo.width} ${1 / photo.height}) translate(${-photo.x} ${-photo.y})`} />`)}</clipPath></svg>`

/** @param {{ item: Item, page: Page, answer: Answer, rank: number, onChoose: (rank: number) => void }} given */
function Choices({ item, page, answer, rank, onChoose }) {
  const { url } = useBlob(() => page.queue.photo(item.id), [item.id, item.shown])
  const { candidates, grid } = answer
  const { photo } = grid
  // The same part of the photo for all: a square around the largest, in pixels of the mask.
  const { box } = candidates[candidates.length - 1]
  const side = Math.min(Math.max(photo.width, photo.height), 1.2 * Math.max((box.x1 - box.x0) * photo.width, (box.y1 - box.y0) * photo.height))
  const left = photo.width * (box.x0 + box.x1) / 2 - side / 2
  const top = photo.height * (box.y0 + box.y1) / 2 - side / 2
  const place = (/** @type {number} */ share) => `${100 * share / side}%`
  const frame = { left: place(-left), top: place(-top), width: place(photo.width), height: place(photo.height) }
  return html`<section>
    <h2>${t('which')}</h2>
    <div class="cands" role="radiogroup" aria-label=${t('which')}>
      ${candidates.map((each, at) => html`<label class="cand">
        <input class="sr" type="radio" name="candidate" checked=${at === rank} aria-label=${nameOf(answer, at)} onChange=${() => onChoose(at)} />
        <span class="crop checker">
          <${Clip} id=${`candidate-${at}`} paths=${[each.path]} grid=${grid} />
          ${url && html`<img class="dim" src=${url} alt="" style=${frame} /><img src=${url} alt="" style=${{ ...frame, clipPath: `url(#candidate-${at})` }} />`}
          <kbd class="only-wide" aria-hidden="true">${at + 1}</kbd>
        </span>
        <span aria-hidden="true">${number(Math.min(1, each.score), { style: 'percent' })}</span>
      </label>`)}
    </div>
  </section>`
}

/** @param {{ item: Item, page: Page }} given */
export function Inspector({ item, page }) {
  const acts = actsOf(item, page)
  const { now } = historyOf(item)
  const subject = now.subjects[now.at]
  const answer = answerTo(item, subject, false)
  const prompts = marking.promptsOf(now)
  const several = now.subjects.length > 1

  async function cutOut() {
    const { model } = item.selection ?? {}
    const { refine } = item.options
    page.store.set({ mode: 'compare', zoom: 0 })
    page.queue.again(item.id, { ...(refine && { refine }), model, prompts })
  }

  return html`<aside class="inspector" aria-label=${t('select')}>
    ${answer && answer.candidates.length > 1 && html`<${Choices} item=${item} page=${page} answer=${answer}
      rank=${subject.choice?.rank ?? answer.best} onChoose=${acts.choose} />`}
    <section>
      <h2>${t('subjects')}</h2>
      <ul class="subjects">${now.subjects.map(({ id, points, box }, at) => {
        const kept = points.filter(({ label }) => label).length
        return html`<li key=${id}>
          <button type="button" class="subject" aria-pressed=${several ? String(at === now.at) : undefined} onClick=${() => acts.turnTo(at)}>
            <i></i><span>${t('subject.n', { i: at + 1 })}
            <small>${points.length ? t('points', { p: kept, m: points.length - kept }) : box ? t('box') : t('sel.title')}</small></span></button>
          <button class="ib" type="button" aria-label=${`${t('remove')}: ${t('subject.n', { i: at + 1 })}`} title=${t('remove')}
            disabled=${!several && !points.length && !box} onClick=${() => acts.removeSubject(at)}>${icon('trash')}</button></li>`
      })}</ul>
      <button class="addline" type="button" onClick=${acts.addSubject}>${icon('plus', 's')}${t('subject.add')}</button>
    </section>
    <section class="only-wide"><ul class="tips" aria-hidden="true">
      <li>${t('help.shift')}<kbd>⇧</kbd></li><li>${t('help.drag')}<kbd>B</kbd></li></ul></section>
    <div class="end">
      <button class="btn primary" type="button" disabled=${!prompts.length || !item.selection?.model} onClick=${cutOut}>${t('cutout')}</button>
    </div>
  </aside>`
}
