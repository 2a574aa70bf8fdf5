/** What is known of one face, beside it in the picture. The list has the same for keys and screen readers. */

import { t } from '../../core/i18n.js'
import { html, useLayoutEffect, useRef } from '../../vendor/htm-preact.js'
import { Estimates, sure } from './estimates.js'

/** @import { Face, Found } from './document.js' */

const GAP = 10
const OWN = 1000 // times as bad to hide the face itself as another one

/**
 * @param {HTMLElement} card @param {Face} face @param {Found} found
 * Move the card right, left, below or above the face, where it hides the least of faces, within what is seen.
 */
function move(card, face, { width, faces }) {
  const picture = /** @type {HTMLElement} */ (card.parentElement)
  const whole = picture.getBoundingClientRect()
  const seen = /** @type {HTMLElement} */ (picture.parentElement).getBoundingClientRect()
  const scale = whole.width / width
  const { offsetWidth: wide, offsetHeight: high } = card
  const [left, top] = [Math.max(0, seen.left - whole.left) + GAP, Math.max(0, seen.top - whole.top) + GAP]
  const right = Math.min(whole.right, seen.right) - whole.left - GAP - wide
  const bottom = Math.min(whole.bottom, seen.bottom) - whole.top - GAP - high
  /** @param {Face} each @returns {[number, number, number, number]} left, top, right, bottom on the screen */
  const edges = ({ x, y, width, height }) => [x * scale, y * scale, (x + width) * scale, (y + height) * scale]
  const [from, head, to, chin] = edges(face)
  const hidden = (/** @type {number} */ x, /** @type {number} */ y) =>
    faces.reduce((sum, each) => {
      const [a, b, c, d] = edges(each)
      const area = Math.max(0, Math.min(x + wide, c) - Math.max(x, a)) * Math.max(0, Math.min(y + high, d) - Math.max(y, b))
      return sum + area * (each === face ? OWN : 1)
    }, 0)
  const [best] = [[to + GAP, head], [from - GAP - wide, head], [from, chin + GAP], [from, head - GAP - high]]
    .map(([x, y]) => [Math.max(left, Math.min(x, right)), Math.max(top, Math.min(y, bottom))])
    .map(([x, y]) => ({ x, y, hides: hidden(x, y) }))
    .sort((a, b) => a.hides - b.hides)
  card.style.setProperty('left', `${best.x}px`)
  card.style.setProperty('top', `${best.y}px`)
}

/** @param {{ found: Found, place: number, children?: unknown }} given */
export function Card({ found, place, children }) {
  const card = useRef(/** @type {any} */ (null))
  const face = found.faces[place]
  useLayoutEffect(() => {
    move(card.current, face, found)
    const watch = new ResizeObserver(() => move(card.current, face, found))
    watch.observe(card.current.parentElement)
    return () => watch.disconnect()
  }, [face, found])
  return html`<div class="face-card" aria-hidden="true" ref=${card}>
    <b>${t('face.n', { i: place + 1 })}<small>${sure(face)}</small></b>
    <${Estimates} face=${face} />
    ${children}
  </div>`
}
