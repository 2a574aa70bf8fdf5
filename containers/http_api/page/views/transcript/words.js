/**
 * The words on the page. They are drawn once and then changed one by one, without the rest of the page: a recording of
 * hours has a hundred thousand.
 */

import { span as clock, t } from '../../core/i18n.js'
import { lastBegun, paragraphsOf } from './document.js'
import { colourOf, nameOf } from './speakers.js'

/** @import { Page } from '../../core/types' */
/** @import { Run } from './document.js' */
/** @import { Session } from './session.js' */

const LINGER_S = 0.3 // that a word stays marked in a pause
const EDGE = 0.15 // of the height: nearer to it, the spoken word is moved to the middle

/** @param {string} tag @param {Record<string, string>} [attributes] @param {(Node | string)[]} children */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.append(...children)
  return element
}

/** @param {HTMLElement} root empty @param {Session} session its transcript is there @param {Page} page */
export function makeWords(root, session, page) {
  const { player } = session
  const { words, speakers } = /** @type {import('./document.js').Transcript} */ (session.transcript)
  const edits = /** @type {import('./edits.js').Edits} */ (session.edits)
  const starts = Float64Array.from(words, (each) => each.start)
  /** @type {HTMLElement[]} */
  const spans = []
  const scroller = () => /** @type {HTMLElement} */ (root.closest('.said'))
  const over = new AbortController()
  const { signal } = over
  let spoken = -1
  let stop = 0 // the one word that Tab reaches
  let follows = true
  /** @type {HTMLElement[]} */
  let marked = []
  /** @type {HTMLInputElement | undefined} */
  let field

  /** @param {number} at Draw a word as it is now; what was changed is marked as inserted or deleted. */
  function write(at) {
    const [text, before] = [edits.texts[at], words[at].text]
    spans[at].replaceChildren(text === before ? text : text ? make('ins', {}, text) : make('del', {}, before))
  }

  function draw() {
    for (const { first, last } of paragraphsOf(words, words.map((each) => each.text))) {
      const { speaker, start, language } = words[first]
      const text = make('p', { lang: language, dir: 'auto' })
      for (let at = first; at < last; at += 1) {
        spans[at] = make('span', { 'data-at': `${at}` })
        write(at)
        text.append(at > first ? words[at].space : '', spans[at])
      }
      const header = make('header', {}, make('time', {}, clock(start)))
      if (speaker) header.prepend(make('b', { class: colourOf(speakers, speaker), 'data-speaker': speaker, dir: 'auto' }))
      root.append(make('article', { class: speaker ? 'turn told' : 'turn' }, header, text))
    }
    name()
    if (spans.length) reach(0)
  }

  function name() {
    for (const each of root.querySelectorAll('b[data-speaker]')) {
      each.textContent = nameOf(speakers, session.names, /** @type {HTMLElement} */ (each).dataset.speaker ?? '')
    }
  }

  /** @param {number} at Let Tab and the arrows reach this word. Only it is a button: text is for reading. */
  function reach(at) {
    for (const each of ['tabindex', 'role', 'aria-describedby']) spans[stop]?.removeAttribute(each)
    stop = at
    spans[at].tabIndex = 0
    spans[at].setAttribute('role', 'button')
    spans[at].setAttribute('aria-describedby', 'word-keys')
  }

  /** @param {number} at */
  function focus(at) {
    reach(at)
    spans[at].focus({ preventScroll: true })
    show(spans[at])
  }

  /** @returns {[number, number]} what is seen of the text, from top to bottom */
  function seen() {
    const box = scroller().getBoundingClientRect()
    const player = root.closest('.reader')?.querySelector('.player')?.getBoundingClientRect() // over the text on small screens
    return [Math.max(box.top, player?.bottom ?? 0), Math.min(box.bottom, window.innerHeight)]
  }

  /** @param {HTMLElement} element Scroll to it if it is not in sight. */
  function show(element) {
    const [top, bottom] = seen()
    const margin = (bottom - top) * EDGE
    const { top: from, bottom: to } = element.getBoundingClientRect()
    if (from >= top + margin && to <= bottom - margin) return
    element.scrollIntoView({ block: 'center' })
  }

  /** @param {boolean} on */
  function setFollows(on) {
    if (follows === on) return
    follows = on
    session.changed()
  }

  /** @param {number} time Mark the word that is spoken then. */
  function speak(time) {
    let at = lastBegun(starts, time)
    if (at >= 0 && time > words[at].end + LINGER_S) at = -1
    if (at === spoken) return
    if (at >= 0 && follows && !field) show(spans[at]) // measured before anything changes: no layout is done twice
    spans[spoken]?.removeAttribute('aria-current')
    spans[at]?.setAttribute('aria-current', 'true')
    spoken = at
  }

  /** @param {number} at */
  function jump(at) {
    setFollows(true)
    reach(at)
    player.jump(words[at].start, true)
  }

  /** @param {number} at Let its text be written in place. */
  function edit(at) {
    field?.blur()
    player.pause()
    const own = document.createElement('input')
    const text = edits.texts[at] || words[at].text
    const before = edits.texts[at]
    Object.assign(own, { value: before, type: 'text', maxLength: 200, size: Math.max(4, text.length + 1), spellcheck: true, dir: 'auto' })
    own.setAttribute('aria-label', t('word.at', { word: words[at].text, time: clock(words[at].start) }))
    field = own
    spans[at].hidden = true
    spans[at].after(own)
    own.select()
    /** @param {boolean} save @param {boolean} back whether the focus goes back to the word */
    const end = (save, back) => {
      if (field !== own) return
      field = undefined
      const changed = save && edits.write(at, own.value)
      spans[at].hidden = false
      own.remove()
      if (changed) write(at)
      if (back) focus(at)
      if (changed) session.changed()
    }
    own.addEventListener('blur', () => end(true, false))
    window.addEventListener('pagehide', () => end(true, false), { signal, once: true })
    own.addEventListener('keydown', (event) => {
      if (event.isComposing || !['Enter', 'Escape'].includes(event.key)) return
      event.preventDefault()
      end(event.key === 'Enter', true)
    })
    own.focus()
  }

  /** @param {Event} event @returns {number} the place of the word; -1 if it is none */
  function wordOf({ target }) {
    const found = /** @type {HTMLElement} */ (target).closest('span[data-at]')
    return found ? Number(/** @type {HTMLElement} */ (found).dataset.at) : -1
  }

  root.addEventListener('click', (event) => {
    const { speaker } = /** @type {HTMLElement} */ (event.target).dataset ?? {}
    if (speaker) document.getElementById(`name-${speaker}`)?.focus()
    const at = wordOf(event)
    if (at >= 0 && !getSelection()?.toString() && event.detail < 2) jump(at)
  }, { signal })
  root.addEventListener('dblclick', (event) => {
    const at = wordOf(event)
    if (at < 0) return
    getSelection()?.removeAllRanges()
    edit(at)
  }, { signal })
  root.addEventListener('keydown', (event) => {
    const at = wordOf(event)
    if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: words.length - 1 }[event.key]
    if (event.key === 'Enter') jump(at)
    else if (event.key === 'F2') edit(at)
    else if (to === undefined) return
    else if (spans[to]) focus(to)
    event.preventDefault()
  }, { signal })
  // What the reader does to scroll. A scroll event could also be ours, or the browser's as text above gets its height.
  const leave = () => spoken >= 0 && setFollows(false)
  const frame = scroller()
  for (const each of ['wheel', 'touchmove']) frame.addEventListener(each, leave, { passive: true, signal })
  frame.addEventListener('keydown', ({ key, target }) => {
    if (target !== field && ['PageUp', 'PageDown', 'ArrowUp', 'ArrowDown'].includes(key)) leave()
  }, { signal })
  frame.addEventListener('pointerdown', ({ target, offsetX }) => {
    if (target === frame && offsetX >= frame.clientWidth) leave() // the scroll bar
  }, { signal })
  window.addEventListener('beforeunload', (event) => {
    if (!edits.kept) event.preventDefault()
  }, { signal })

  draw()
  const unwatch = player.watch(speak)

  return {
    name,
    get follows() {
      return follows
    },
    /** Go to the spoken word, and stay with it. */
    follow() {
      setFollows(true)
      if (spoken >= 0) show(spans[spoken])
    },
    /** @param {Run[]} runs what was found @param {number} now which of them is shown */
    mark(runs, now) {
      for (const each of marked) each.classList.remove('hit', 'now')
      marked = runs.flatMap(({ first, last }) => spans.slice(first, last))
      for (const each of marked) each.classList.add('hit')
      const run = runs[now]
      if (!run) return
      for (const each of spans.slice(run.first, run.last)) each.classList.add('now')
      setFollows(false)
      show(spans[run.first])
    },
    undo() {
      const at = edits.undo()
      if (at === undefined) return
      write(at)
      focus(at)
      page.say(t('undone'))
      session.changed()
    },
    close() {
      field?.blur()
      over.abort()
      unwatch()
      root.replaceChildren()
    },
  }
}
/** @typedef {ReturnType<typeof makeWords>} Words */
