/** A picture on the stage: as large as fits or enlarged; before it is there, why. */

import { Problem } from '../core/api.js'
import { number, t } from '../core/i18n.js'
import { html, useLayoutEffect, useRef, useState } from '../vendor/htm-preact.js'
import { icon } from './icon.js'
import { Refused } from './trouble.js'

/** @import { Item, Page } from '../core/types' */

const STEPS = [0.125, 0.25, 0.5, 1, 2, 4, 8]

/** @param {{ item: Item, page: Page, error?: unknown }} given While it is not there: why. */
export function Missing({ item, page, error }) {
  if (error instanceof Problem) {
    const trouble = item.trouble ?? { ...error.trouble, again: Boolean(item.key) } // why it cannot be made again comes first
    return html`<${Refused} item=${{ ...item, trouble }} page=${page} />`
  }
  return html`<div class="canvas"><span class="pill"><i class="spin"></i>${t('res.loading')}</span></div>`
}

/** @param {{ current: HTMLElement | null }} picture @param {number} width its own @returns {number} how much it is enlarged */
export function useScale(picture, width) {
  const [scale, setScale] = useState(1)
  useLayoutEffect(() => {
    const watch = new ResizeObserver(() => setScale((picture.current?.clientWidth ?? width) / width))
    if (picture.current) watch.observe(picture.current)
    return () => watch.disconnect()
  }, [width])
  return scale
}

/**
 * @param {{ page: Page, width: number, height: number, look: string, style?: Record<string, unknown>, children?: unknown }} given
 *   `width` and `height` are the picture's own, in pixels; `look` are classes
 */
export function Zoomable({ page, width, height, look, style = {}, children }) {
  const { zoom } = page.store.state
  const now = () => page.store.state.zoom || scale // two presses may come before the page is drawn
  const picture = useRef(/** @type {HTMLElement | null} */ (null))
  const scale = useScale(picture, width)
  const smaller = () => STEPS.findLast((each) => each < now() * 0.999)
  const larger = () => STEPS.find((each) => each > now() * 1.001)
  const set = (/** @type {number | undefined} */ next) => next && page.store.set({ zoom: next })
  const percent = number(scale, { style: 'percent' })
  return html`
    <div class=${`canvas ${zoom ? 'zoomed' : ''}`} tabindex=${zoom ? 0 : undefined} role=${zoom ? 'group' : undefined}
      aria-label=${zoom ? t('zoom') : undefined}>
      <div class=${`pic ${look} ${scale >= 2 ? 'pixels' : ''}`} ref=${picture}
        style=${{ '--w': width, '--h': height, width: zoom ? `${width * zoom}px` : '', ...style }}>
        ${children}
      </div>
    </div>
    <div class="stage-foot">
      <div class="dock" role="group" aria-label=${t('zoom')}>
        <button class="ib" type="button" aria-label=${t('zoom.out')} title=${t('zoom.out')} disabled=${!smaller()}
          onClick=${() => set(smaller())}>${icon('minus')}</button>
        <button class="tool" type="button" onClick=${() => page.store.set({ zoom: page.store.state.zoom ? 0 : 1 })}>
          ${zoom ? percent : `${t('fit')} · ${percent}`}</button>
        <button class="ib" type="button" aria-label=${t('zoom.in')} title=${t('zoom.in')} disabled=${!larger()}
          onClick=${() => set(larger())}>${icon('plus')}</button>
      </div>
    </div>`
}
