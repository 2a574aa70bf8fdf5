/** The faces as a list: for keys, for screen readers, and for what the picture has no room for. */

import { t } from '../../core/i18n.js'
import { useBlind, useBlob } from '../../parts/controls.js'
import { icon } from '../../parts/icon.js'
import { html, useEffect, useRef } from '../../vendor/htm-preact.js'
import { Bars, summary, sure } from './estimates.js'
import { current, hold, look } from './looking.js'

/** @import { Item, Page } from '../../core/types' */
/** @import { Face, Found } from './document.js' */

const AROUND = 1.3 // times the longer side of a box

/** @param {Face} face @param {Found} whole @returns {Record<string, string>} how the photo lies in the face's square */
function cropped({ x, y, width, height }, whole) {
  const side = AROUND * Math.max(width, height, 1)
  const percent = (/** @type {number} */ pixels) => `${(pixels / side) * 100}%`
  return {
    left: percent((side - width) / 2 - x), top: percent((side - height) / 2 - y),
    width: percent(whole.width), height: percent(whole.height),
  }
}

/**
 * @param {Item} item @param {Page} page @param {Found} found
 * @returns {(face?: Face) => unknown} the part of the photo that has this face
 */
export function useCrops(item, page, found) {
  const { url } = useBlob(() => page.queue.photo(item.id), [item.id, item.shown])
  const [blind, onError] = useBlind(url)
  return (face) => html`<span class="face-crop">${url && !blind && face
    ? html`<img src=${url} alt="" style=${cropped(face, found)} onError=${onError} />`
    : icon('face')}</span>`
}

/** @param {{ item: Item, page: Page, found: Found }} given */
export function People({ item, page, found }) {
  const crop = useCrops(item, page, found)
  const list = useRef(/** @type {any} */ (null))
  const { held } = item.looking ?? {}
  useEffect(() => {
    const { offsetTop: top, offsetHeight: high } = list.current?.children[held ?? -1] ?? {}
    if (top === undefined) return
    const { scrollTop, clientHeight } = list.current // scrolled alone: on small screens, the photo stays in sight
    list.current.scrollTop = Math.min(top, Math.max(scrollTop, top + high - clientHeight))
  }, [held])
  const seen = (/** @type {number} */ place) => () => look(page, item.id, { seen: place })
  const unseen = () => look(page, item.id, { seen: undefined })
  const press = (/** @type {number} */ place) => () => {
    page.store.set({ mode: 'faces' })
    hold(page, item.id, place)
  }
  const chosen = current(item)
  return html`<ul class="people" ref=${list}>
    ${found.faces.map((face, place) => html`<li class=${place === chosen ? 'chosen' : ''}>
      <button type="button" aria-pressed=${held === place ? 'true' : 'false'} onClick=${press(place)}
        onFocus=${seen(place)} onBlur=${unseen} onPointerEnter=${seen(place)} onPointerLeave=${unseen}>
        ${crop(face)}
        <span><b>${t('face.n', { i: place + 1 })}</b> <small>${sure(face)}</small>
          ${summary(face) && html` <small>${summary(face)}</small>`}</span>
      </button>
      ${held === place && html`<${Bars} expressions=${face.expressions} />`}
    </li>`)}
  </ul>`
}
