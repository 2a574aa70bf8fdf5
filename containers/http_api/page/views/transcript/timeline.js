/** Draw speakers and sounds as bars over the length of the recording. Lists next to it say the same in words. */

import { t } from '../../core/i18n.js'
import { html, useEffect, useMemo, useRef } from '../../vendor/htm-preact.js'
import { colourOf, nameOf, turnsOf } from './speakers.js'
import { useChanges } from './session.js'

/** @import { Session } from './session.js' */
/** @import { Step } from './sounds.js' */

const WIDTH = 1000 // units
const LEAST = 2 // units, to be seen
const MOST_SOUNDS = 5

/** `path` is drawn from 0 to 1 upside down. @typedef {{ name: string, look: string, path: string, spans: [number, number][], lang?: string }} Lane */

/** @param {[number, number][]} spans @param {number} duration @returns {string} one path: hours have thousands of bars */
function drawn(spans, duration) {
  let path = ''
  let last = -1
  for (const [start, end] of spans) {
    const from = Math.max(last, (start / duration) * WIDTH)
    const to = Math.min(WIDTH, Math.max((end / duration) * WIDTH, from + LEAST))
    if (to <= from) continue
    path += `M${from.toFixed(1)} 0H${to.toFixed(1)}V1H${from.toFixed(1)}z`
    last = to
  }
  return path
}

/** @param {Step[]} steps @param {'speech' | 'music'} kind @param {number} duration @returns {string} as high as it is probable */
const curve = (steps, kind, duration) =>
  steps.map((each) => {
    const [from, to] = [each.start, each.end].map((time) => ((time / duration) * WIDTH).toFixed(1))
    return `M${from} 1V${(1 - each[kind]).toFixed(2)}H${to}V1z`
  }).join('')

/** @param {Session} session @param {number} duration @returns {Lane[]} */
function lanesOf({ transcript, names, sounds }, duration) {
  const { speakers, words } = transcript ?? { speakers: [], words: [] }
  const { labels = [], steps = [] } = sounds ?? {}
  const turns = turnsOf(words)
  const bars = (/** @type {[number, number][]} */ spans) => ({ path: drawn(spans, duration), spans })
  const others = labels.filter(({ label, spans }) => spans.length && !['Speech', 'Music'].includes(label))
  return [
    ...speakers.map((each) => ({ name: nameOf(speakers, names, each), look: colourOf(speakers, each), ...bars(turns.get(each) ?? []) })),
    ...(steps.length ? /** @type {const} */ (['speech', 'music']) : []).map((kind) => ({ name: t(kind), look: 'sound', path: curve(steps, kind, duration), spans: [] })),
    ...others.slice(0, MOST_SOUNDS).map(({ label, spans }) => ({ name: label, look: 'sound', lang: 'en', ...bars(spans) })),
  ]
}

/** @param {{ session: Session }} given */
export function Timeline({ session }) {
  const { player, names, sounds } = session
  const head = useRef(/** @type {any} */ (null))
  useChanges(player)
  const { duration } = player
  const lanes = useMemo(() => (duration ? lanesOf(session, duration) : []), [session, names, sounds, duration, t('speech')])
  useEffect(
    () => player.watch((time) => head.current?.style.setProperty('--at', `${duration ? time / duration : 0}`)),
    [player, duration, !lanes.length],
  )
  if (!lanes.length) return null
  /** @param {MouseEvent} event @param {Lane} lane Jump to where a bar begins; beside one, to that moment. */
  const jump = (event, { spans }) => {
    const { left, width } = /** @type {Element} */ (event.currentTarget).getBoundingClientRect()
    const time = ((event.clientX - left) / width) * duration
    const least = (LEAST / WIDTH) * duration
    const bar = spans.find(([start, end]) => start <= time && time <= Math.max(end, start + least))
    player.jump(bar ? bar[0] : Math.max(0, time))
  }
  return html`<div class="lanes" aria-hidden="true">
    ${lanes.map((lane) => html`<div class=${`lane ${lane.look}`}>
      <span lang=${lane.lang} dir="auto">${lane.name}</span>
      <svg viewBox="0 0 ${WIDTH} 1" preserveAspectRatio="none" onClick=${(/** @type {MouseEvent} */ event) => jump(event, lane)}>
        <path d=${lane.path} /></svg>
    </div>`)}
    <i class="head" ref=${head}></i>
  </div>`
}
