/** What is known of one face, beside it in the picture. The list has the same for keys and screen readers. */

import { t } from '../../core/i18n.js'
import { html, useLayoutEffect, useRef } from '../../vendor/htm-preact.js'
import { Estimates, sure } from './estimates.js'

/** @import { Face, Found } from './document.js' */

const GAP = 10

/**
 * @param {HTMLElement} card @param {Face} face @param {Found} found
 * Move the card to where it hides the face least: right, left, below or above it, within what is seen of the picture.
 */
function move(card, face, { width }) {
  const picture = /** @type {HTMLElement} */ (card.parentElement)
  const whole = picture.getBoundingClientRect()
  const seen = /** @type {HTMLElement} */ (picture.parentElement).getBoundingClientRect()
  const scale = whole.width / width
  const [left, top] = [Math.max(0, seen.left - whole.left) + GAP, Math.max(0, seen.top - whole.top) + GAP]
  const right = Math.min(whole.right, seen.right) - whole.left - GAP - card.offsetWidth
  const bottom = Math.min(whole.bottom, seen.bottom) - whole.top - GAP - card.offsetHeight
  const [from, to] = [face.x * scale, (face.x + face.width) * scale]
  const [head, chin] = [face.y * scale, (face.y + face.height) * scale]
  const places = [
    [to + GAP, head], [from - GAP - card.offsetWidth, head], [from, chin + GAP], [from, head - GAP - card.offsetHeight],
  ].map(([x, y]) => ({ x: Math.max(left, Math.min(x, right)), y: Math.max(top, Math.min(y, bottom)) }))
  const hides = places.map(({ x, y }) => {
    const wide = Math.min(x + card.offsetWidth, to) - Math.max(x, from)
    return Math.max(0, wide) * Math.max(0, Math.min(y + card.offsetHeight, chin) - Math.max(y, head))
  })
  const { x, y } = places[hides.indexOf(Math.min(...hides))]
  card.style.setProperty('left', `${x}px`)
  card.style.setProperty('top', `${y}px`)
}

/** @param {{ found: Found, place: number }} given */
export function Card({ found, place }) {
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
  </div>`
}
