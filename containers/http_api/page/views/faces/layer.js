/** Boxes and landmarks over a photo. They scale with it; their lines do not. A list beside it is for keys and readers. */

import { useScale } from '../../parts/picture.js'
import { html, useRef } from '../../vendor/htm-preact.js'
import { current, hold, look } from './looking.js'

/** @import { Item, Page } from '../../core/types' */
/** @import { Found } from './document.js' */

const NUMBERED = 24 // pixels of the screen: on a narrower box, its number would be all that is seen
const DIGITS = 13
const DOTS = 36 // of the largest size beside each other in a face

/** @param {Event} event @returns {number | undefined} the place of the face */
function faceOf({ target }) {
  const { face } = /** @type {SVGElement} */ (target).dataset
  return face === undefined ? undefined : Number(face)
}

/** @param {{ item: Item, page: Page, found: Found }} given */
export function Layer({ item, page, found: { width, height, faces } }) {
  const layer = useRef(/** @type {any} */ (null))
  const scale = useScale(layer, width) || 1
  const { points = false, bare = false } = item.looking ?? {}
  const chosen = current(item)
  const seen = (/** @type {Event} */ event) => look(page, item.id, { seen: faceOf(event) })
  // A small face in front of a large one can be pointed at: it is drawn last.
  const order = [...faces.keys()].sort((a, b) => faces[b].width * faces[b].height - faces[a].width * faces[a].height)
  return html`<svg class=${`face-layer ${bare ? 'bare' : ''}`} viewBox=${`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true"
    ref=${layer} onPointerOver=${seen} onPointerLeave=${seen} onClick=${(/** @type {Event} */ event) => hold(page, item.id, faceOf(event))}>
    ${order.map((place) => {
      const { x, y, width: wide, height: high } = faces[place]
      const box = { x, y, width: wide, height: high }
      return html`<g key=${place} class=${place === chosen ? 'chosen' : ''}>
        <rect class="under" ...${box} /><rect class="over" ...${box} data-face=${place} />
        ${wide * scale >= NUMBERED &&
        html`<text x=${Math.max(0, x) + 5 / scale} y=${Math.max(0, y) + (DIGITS + 2) / scale} font-size=${DIGITS / scale} stroke-width=${3 / scale}>${place + 1}</text>`}
      </g>`
    })}
    ${points &&
    faces.map((face) => {
      const dots = face.points.map(([x, y]) => `M${x} ${y}h0`).join('')
      const size = Math.max(1, Math.min(3, (face.width * scale) / DOTS))
      return html`<path class="points under" d=${dots} stroke-width=${size * 1.7} /><path class="points over" d=${dots} stroke-width=${size} />`
    })}
  </svg>`
}
