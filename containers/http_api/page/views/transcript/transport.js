/** The player's controls, and the picture if there is one. */

import { span, t } from '../../core/i18n.js'
import { Select } from '../../parts/controls.js'
import { icon } from '../../parts/icon.js'
import { html, useEffect, useRef } from '../../vendor/htm-preact.js'
import { useChanges } from './session.js'

/** @import { Session } from './session.js' */

const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2]

/** @param {{ session: Session }} given */
export function Transport({ session }) {
  const { player } = session
  const { media, duration, state, film } = player
  const screen = useRef(/** @type {any} */ (null))
  const seek = useRef(/** @type {any} */ (null))
  const clock = useRef(/** @type {any} */ (null))
  useChanges(player)
  useEffect(() => screen.current.append(media), [player])
  useEffect(
    () =>
      player.watch((time) => {
        if (!seek.current) return
        seek.current.value = `${time}`
        seek.current.style.setProperty('--at', `${player.duration ? (time / player.duration) * 100 : 0}%`)
        const text = span(time)
        if (clock.current.textContent !== text) clock.current.textContent = text
        // While it plays, a screen reader would read every second aloud.
        if (media.paused) seek.current.setAttribute('aria-valuetext', t('position.of', { at: text, total: span(player.duration) }))
      }),
    [player, duration, media.paused],
  )
  /** @param {KeyboardEvent} event Home and End stay the browser's. */
  const onKeyDown = (event) => {
    const direction = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key]
    if (!direction) return
    event.preventDefault()
    player.skip(direction)
  }
  const odd = state === 'gone' ? t('source.gone') : state === 'odd' ? t('source.odd') : ''
  return html`<section class="player" aria-label=${t('player')}>
    <div class="screen" hidden=${!film} ref=${screen}></div>
    <button class="btn primary play" type="button" aria-label=${t(player.plays ? 'pause' : 'play')} disabled=${Boolean(odd)}
      onClick=${player.toggle}>${icon(player.plays ? 'pause' : 'play')}</button>
    <input class="slider" type="range" min="0" max=${duration || 1} step="any" aria-label=${t('position')} ref=${seek}
      onInput=${(/** @type {any} */ e) => player.jump(Number(e.target.value))} onKeyDown=${onKeyDown} />
    <span class="times"><b ref=${clock}></b> / ${span(duration)}</span>
    <${Select} label=${t('speed')} value=${media.playbackRate} choices=${SPEEDS.map((value) => ({ value, text: `${value}×` }))}
      onChoose=${(/** @type {string} */ chosen) => (media.playbackRate = Number(chosen))} />
    ${odd && html`<p class="note odd" role="status">${odd}</p>`}
  </section>`
}
