/** The drawing of a machine: states to press, lines between them, zoom. */

import { number, t } from '../../../core/i18n.js'
import { icon } from '../../../parts/icon.js'
import { html, useEffect, useMemo, useRef, useState } from '../../../vendor/htm-preact.js'
import { SIGNS } from '../words.js'
import { cut, layout } from './layout.js'
import { describe } from './list.js'
import { walk } from './walk.js'

/** @import { Scope } from './asl.js' */
/** @import { Drawing, Line, Node } from './layout.js' */
/** @import { Seen } from '../visits.js' */

const MARGIN = 16
const LEAST = 0.2
const MOST = 2
const EASY = 0.62 // a state is as high as a target must be
const STEP = 1.25

/** What a type of state looks like, on a grid of 24. @type {Record<string, string>} */
const TYPES = {
  Task: 'M5 6.5h14v11H5z',
  Choice: 'M12 4.5l7.5 7.5-7.5 7.5L4.5 12z',
  Map: 'M4.5 8.5h11v11h-11zM8.5 8.5v-4h11v11h-4',
  Parallel: 'M7 5v14M12 5v14M17 5v14',
  Pass: 'M4.5 12h14M14 7.5l4.5 4.5-4.5 4.5',
  Wait: 'M12 4a8 8 0 100 16 8 8 0 000-16zM12 7.5V12l3 2.5',
  Succeed: 'M12 4a8 8 0 100 16 8 8 0 000-16zM8 12.5l3 3 5-6',
  Fail: 'M12 4a8 8 0 100 16 8 8 0 000-16zM9 9l6 6M15 9l-6 6',
}

/** @param {{ line: Line, went?: boolean }} given */
const Way = ({ line: { kind, path, back, whys }, went }) => html`<path class=${`way of-${kind} ${went ? 'went' : ''}`} d=${path}
  marker-end=${back ? undefined : `url(#tip-${kind === 'catch' ? 'catch' : 'flow'})`}
  marker-start=${back ? `url(#tip-${kind === 'catch' ? 'catch' : 'flow'})` : undefined}>
  <title>${whys.filter(Boolean).join(' · ')}</title></path>`

/** @param {{ node: Node, seen?: Seen, chosen: boolean, stop: boolean, says: string, onChoose: () => void, onSeen: () => void }} given */
function Box({ node: { id, x, y, width, height, state }, seen, chosen, stop, says, onChoose, onSeen }) {
  const press = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== 'Enter' && event.key !== ' ') return
    event.preventDefault()
    onChoose()
  }
  const whole = seen ? seen.text : `${state?.type ?? ''}${state?.resource ? ` · ${state.resource.split(':').slice(5).join(':')}` : ''}`
  const [name, small] = [cut(id, 34), cut(whole, Math.floor((width - 50) / 6))]
  return html`<g class=${`state is-${seen?.status ?? 'plain'} ${chosen ? 'chosen' : ''} ${state?.ends ? 'ends' : ''}`} id=${`state-${id}`}
    role="button" tabindex=${stop ? 0 : -1} aria-label=${`${name} ${small}. ${says}`} aria-pressed=${chosen ? 'true' : 'false'}
    transform=${`translate(${x} ${y})`} onClick=${onChoose} onKeyDown=${press} onFocus=${onSeen}>
    <rect class="body" width=${width} height=${height} rx="10" />
    ${state?.ends && html`<path class="stop" d=${`M10 ${height - 2}H${width - 10}`} />`}
    <path class="kind" transform="translate(10 12) scale(.84)" d=${TYPES[state?.type ?? ''] ?? TYPES.Task} />
    <text class="name" x="40" y="19">${`${name} `}</text>
    <text class="small" x="40" y="35">${small}</text>
    ${seen && html`<path class="mark" transform=${`translate(${width - 26} 4) scale(.72)`} d=${SIGNS[seen.status]} />`}
  </g>`
}

/**
 * @param {{ scope: Scope, label: string, seen?: Map<string, Seen>, went?: Set<string>, near?: string, chosen: string, onChoose: (id: string) => void }} given
 *   `seen` is what became of states; `went` has the transitions that were taken, as `from to`; `near` is brought into sight
 */
export function Graph({ scope, label, seen, went, near, chosen, onChoose }) {
  const drawing = useMemo(() => layout(scope), [scope])
  const view = useRef(/** @type {any} */ (null))
  const from = useRef(/** @type {string | undefined} */ (undefined))
  const [zoom, setZoom] = useState(1)
  const [stop, setStop] = useState('')
  const states = drawing.nodes.filter(({ state }) => state)
  const at = states.some(({ id }) => id === stop) ? stop : chosen && states.some(({ id }) => id === chosen) ? chosen : states[0]?.id
  const [wide, high] = [drawing.width + 2 * MARGIN, drawing.height + 2 * MARGIN]
  const fitting = (/** @type {number} */ least) => {
    const { clientWidth, clientHeight } = view.current
    return Math.max(least, Math.min(1, clientWidth / wide, clientHeight / high))
  }
  useEffect(() => setZoom(fitting(EASY)), [drawing])
  useEffect(() => {
    const frame = requestAnimationFrame(() => {
      const node = drawing.nodes.find(({ id }) => id === (near || scope.start))
      const scale = (view.current?.querySelector('svg').clientWidth ?? 0) / wide
      if (!node) return
      const [x, y] = [node.x + node.width / 2 + MARGIN, node.y + MARGIN].map((each) => each * scale)
      view.current.scrollTo(x - view.current.clientWidth / 2, near ? y - view.current.clientHeight / 2 : 0)
    })
    return () => cancelAnimationFrame(frame)
  }, [drawing, near])
  const zoomed = (/** @type {number} */ by) => setZoom((now) => Math.min(MOST, Math.max(LEAST, now * by)))
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === '+' || event.key === '=') zoomed(STEP)
    else if (event.key === '-') zoomed(1 / STEP)
    else if (event.key === '0') setZoom(fitting(LEAST))
    const next = walk(drawing, at, event.key, from.current)
    if (!next) return
    event.preventDefault()
    from.current = next.from
    const element = document.getElementById(`state-${next.id}`)
    element?.focus({ preventScroll: true })
    element?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }
  const onWheel = (/** @type {WheelEvent} */ event) => {
    if (!event.ctrlKey && !event.metaKey) return
    event.preventDefault()
    zoomed(event.deltaY < 0 ? STEP : 1 / STEP)
  }
  useEffect(() => {
    view.current?.addEventListener('wheel', onWheel, { passive: false }) // a passive listener could not keep the page as it is
  }, [])
  return html`<div class="graph">
    <div class="graph-view" ref=${view}>
      <svg width=${Math.round(wide * zoom)} height=${Math.round(high * zoom)} viewBox=${`${-MARGIN} ${-MARGIN} ${wide} ${high}`}
        role="group" aria-label=${label} aria-describedby="graph-keys" onKeyDown=${onKeyDown}>
        <defs>${['flow', 'catch'].map((kind) => html`<marker id=${`tip-${kind}`} viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9"
          markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path class=${`tip of-${kind}`} d="M0 0.5L8 4L0 7.5z" /></marker>`)}</defs>
        ${drawing.nodes.map(({ id, x, y, width, box }) => box && html`<rect class="box" key=${`box ${id}`} x=${x} y=${y} width=${width} height=${box.height} rx="12" />`)}
        ${drawing.lines.map((line) => html`<${Way} key=${`${line.from} ${line.to} ${line.kind}`} line=${line} went=${went?.has(`${line.from} ${line.to}`)} />`)}
        ${drawing.lines.map(({ from, to, label: words, whys }) => words && html`<g class="why" key=${`why ${from} ${to}`}><title>${whys.join(' · ')}</title>
          <rect x=${words.x} y=${words.y} width=${words.width} height=${words.height} rx="6" />
          <text x=${words.x + words.width / 2} y=${words.y + 14}>${words.text}</text></g>`)}
        ${drawing.nodes.map((node) => node.state
          ? html`<${Box} key=${node.id} node=${node} seen=${seen?.get(node.id)} chosen=${node.id === chosen} stop=${node.id === at}
              says=${describe(scope, node.state, seen?.get(node.id))} onChoose=${() => onChoose(node.id)} onSeen=${() => setStop(node.id)} />`
          : html`<circle class="begin" cx=${node.x + node.width / 2} cy=${node.y + node.height / 2} r="5" />`)}
      </svg>
    </div>
    <div class="graph-tools" role="group" aria-label=${t('zoom')}>
      <button class="ib" type="button" aria-label=${t('zoom.out')} title=${t('zoom.out')} onClick=${() => zoomed(1 / STEP)}>${icon('minus')}</button>
      <button class="btn bare" type="button" onClick=${() => setZoom(1)}>${number(zoom, { style: 'percent' })}</button>
      <button class="ib" type="button" aria-label=${t('zoom.in')} title=${t('zoom.in')} onClick=${() => zoomed(STEP)}>${icon('plus')}</button>
      <button class="btn bare" type="button" onClick=${() => setZoom(fitting(LEAST))}>${t('fit')}</button>
    </div>
    <p class="sr" id="graph-keys">${t('c.graph.keys')}</p>
  </div>`
}
