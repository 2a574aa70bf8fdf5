/** What pointers, fingers and keys do on the photo. */

/** @import { Box, Mark } from '../../../core/types' */

const MOVED_PX = 6
const LONG_MS = 400
const STEP = 0.01

/** @typedef {{ x: number, y: number }} Place in fractions of the photo */
/** @typedef {'keep' | 'drop' | 'box'} Tool */
/**
 * What is being done and not yet a mark: a box that is drawn, a mark that is moved, a finger that is
 * held, and the crosshair of the keys, with the corner from which it draws a box.
 * @typedef {{ box?: Box, moving?: { mark: Mark, dx: number, dy: number }, held?: Place, cross?: Place, corner?: Place }} Draft
 */
/**
 * @typedef {object} Acts
 * @property {(place: Place, label: 0 | 1) => void} point
 * @property {(box: Box) => void} box
 * @property {(mark: Mark) => void} remove
 * @property {(mark: Mark, dx: number, dy: number) => void} move
 * @property {() => void} removeLast
 * @property {(rank: number) => void} choose
 * @property {() => void} addSubject
 * @property {() => void} undo
 * @property {() => void} redo
 * @property {(factor: number, at?: { clientX: number, clientY: number }) => void} zoom 0 is as large as fits
 * @property {() => void} leave
 * @property {(place: Place) => void} crossed the crosshair was moved there
 */

/** @param {Place} from @param {Place} to @returns {Box} */
const boxOf = (from, to) => ({ x0: from.x, y0: from.y, x1: to.x, y1: to.y })

/**
 * @param {() => { picture: HTMLElement, tool: Tool, acts: Acts, draft: Draft, show: (draft: Draft) => void }} now
 * @returns {Record<string, (event: any) => void>} handlers of the picture's element
 */
export function makeHands(now) {
  /** @type {Map<number, PointerEvent>} */
  const fingers = new Map()
  /** @type {{ first: PointerEvent, mark?: Mark, pans: boolean, moved: boolean, timer: number } | undefined} */
  let press
  let space = false

  /** @param {{ clientX: number, clientY: number }} event @returns {Place} */
  function placeOf({ clientX, clientY }) {
    const { left, top, width, height } = now().picture.getBoundingClientRect()
    return { x: (clientX - left) / width, y: (clientY - top) / height }
  }

  /** @param {EventTarget | null} target @returns {Mark | undefined} */
  function markAt(target) {
    const found = target instanceof Element && target.closest('[data-mark]')?.getAttribute('data-mark')
    return found ? JSON.parse(found) : undefined
  }

  function drop() {
    clearTimeout(press?.timer)
    press = undefined
    now().show({})
  }

  /** @param {number} dx @param {number} dy The picture, where it is larger than its frame; else the page. */
  function pan(dx, dy) {
    const frame = now().picture.parentElement
    const before = frame && frame.scrollLeft + frame.scrollTop
    frame?.scrollBy(-dx, -dy)
    if (frame && frame.scrollLeft + frame.scrollTop === before) window.scrollBy(-dx, -dy)
  }

  /** @returns {number} between two fingers, in pixels */
  function spread() {
    const [a, b] = [...fingers.values()]
    return Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY)
  }

  return {
    /** @param {PointerEvent} event */
    onPointerDown(event) {
      if (event.button || /** @type {Element} */ (event.target).closest('button')) return
      const { picture, tool, acts, show } = now()
      event.preventDefault() // it would drag the image, or select text
      picture.focus({ preventScroll: true })
      picture.setPointerCapture(event.pointerId)
      fingers.set(event.pointerId, event)
      if (fingers.size > 1) return drop()
      const touch = event.pointerType === 'touch'
      const mark = markAt(event.target)
      const held = () => {
        drop()
        acts.point(placeOf(event), 0)
      }
      const timer = touch && !mark && tool !== 'box' ? window.setTimeout(held, LONG_MS) : 0
      press = { first: event, mark, pans: space || (touch && !mark && tool !== 'box'), moved: false, timer }
      if (touch) show({ held: placeOf(event) })
    },

    /** @param {PointerEvent} event */
    onPointerMove(event) {
      const before = fingers.get(event.pointerId)
      if (!before) return
      const { acts, show } = now()
      if (fingers.size === 2) {
        const was = spread()
        fingers.set(event.pointerId, event)
        const [a, b] = [...fingers.values()]
        const middle = { clientX: (a.clientX + b.clientX) / 2, clientY: (a.clientY + b.clientY) / 2 }
        return acts.zoom(spread() / was, middle)
      }
      fingers.set(event.pointerId, event)
      if (!press) return
      const { first, mark } = press
      const far = Math.hypot(event.clientX - first.clientX, event.clientY - first.clientY)
      if (!press.moved && far <= MOVED_PX) return
      press.moved = true
      clearTimeout(press.timer)
      const [from, to] = [placeOf(first), placeOf(event)]
      const held = event.pointerType === 'touch' ? to : undefined
      if (press.pans) pan(event.clientX - before.clientX, event.clientY - before.clientY)
      else if (mark) show({ moving: { mark, dx: to.x - from.x, dy: to.y - from.y }, held })
      else show({ box: boxOf(from, to), held })
    },

    /** @param {PointerEvent} event */
    onPointerUp(event) {
      fingers.delete(event.pointerId)
      if (!press) return
      const { first, mark, pans, moved } = press
      const { tool, acts } = now()
      drop()
      const [from, to] = [placeOf(first), placeOf(event)]
      if (pans && moved) return
      if (moved && mark) acts.move(mark, to.x - from.x, to.y - from.y)
      else if (moved) acts.box(boxOf(from, to))
      else if (mark) acts.remove(mark)
      else if (tool !== 'box') acts.point(to, first.shiftKey || tool === 'drop' ? 0 : 1)
    },

    /** @param {PointerEvent} event */
    onPointerCancel(event) {
      fingers.delete(event.pointerId)
      drop()
    },

    /** @param {WheelEvent} event */
    onWheel(event) {
      event.preventDefault()
      now().acts.zoom(2 ** (-event.deltaY / 400), event)
    },

    /** @param {KeyboardEvent} event */
    onKeyUp(event) {
      if (event.key === ' ') space = false
    },

    /** @param {KeyboardEvent} event */
    onKeyDown(event) {
      if (event.target !== event.currentTarget) return // a button on the picture
      const { acts, draft, show } = now()
      const { key, shiftKey } = event
      const { cross = { x: 0.5, y: 0.5 }, corner } = draft
      const large = shiftKey ? 5 * STEP : STEP
      const go = (/** @type {number} */ dx, /** @type {number} */ dy) => () => {
        const to = { x: Math.min(1, Math.max(0, cross.x + dx)), y: Math.min(1, Math.max(0, cross.y + dy)) }
        show({ cross: to, corner, box: corner && boxOf(corner, to) })
        acts.crossed(to)
      }
      /** @type {Record<string, () => void>} */
      const keys = {
        ArrowLeft: go(-large, 0), ArrowRight: go(large, 0), ArrowUp: go(0, -large), ArrowDown: go(0, large),
        Enter() {
          if (corner) acts.box(boxOf(corner, cross))
          else acts.point(cross, shiftKey ? 0 : 1)
          show({ cross })
        },
        b: () => show({ cross, corner: cross }),
        n: acts.addSubject,
        Delete: acts.removeLast, Backspace: acts.removeLast,
        1: () => acts.choose(0), 2: () => acts.choose(1), 3: () => acts.choose(2),
        '+': () => acts.zoom(2), '=': () => acts.zoom(2), '-': () => acts.zoom(0.5), 0: () => acts.zoom(0),
        ' ': () => { space = true },
        Escape() {
          if (press || draft.box || corner) {
            drop()
            show({ cross: draft.cross })
          } else acts.leave()
        },
      }
      const command = event.ctrlKey || event.metaKey
      const act = command ? (key.toLowerCase() === 'z' && (shiftKey ? acts.redo : acts.undo)) : keys[key.length > 1 ? key : key.toLowerCase()]
      if (!act || event.altKey) return
      event.preventDefault()
      act()
    },

    /** @param {FocusEvent} event */
    onBlur(event) {
      if (event.target !== event.currentTarget) return
      space = false
      now().show({})
    },
  }
}
