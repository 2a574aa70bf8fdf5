/** The candidates of each face, beside the photo: the one that is looked at in either is marked in both. */

import { day, t } from '../../../core/i18n.js'
import { html, useEffect, useRef } from '../../../vendor/htm-preact.js'
import { current, hold, look } from '../looking.js'
import { useCrops } from '../people.js'
import { figure, likeness, matchesOf, personName, shownOf } from './words.js'

/** @import { Finding, Item, Match, Page } from '../../../core/types' */
/** @import { Found } from '../document.js' */

/** @param {{ finding: Finding, place: number }} given For the card beside a face: its best candidate, and how many there are. */
export function Best({ finding, place }) {
  const [best, ...more] = shownOf(matchesOf(finding, place) ?? [], finding)
  if (!best) return null
  return html`<p class="best"><b>${personName(best.person)}<span>${figure(best.similarity)}</span></b>
    ${t('candidates.best', { n: more.length + 1 })}</p>`
}

/** @param {{ match: Match, threshold: number }} given */
const Candidate = ({ match: { similarity, person, key, enrolled_at }, threshold }) => html`<li>
  <b>${personName(person)}</b>
  <span>${likeness(similarity, threshold)} <span class="figure">${figure(similarity)}</span></span>
  <small>${key}</small>
  ${enrolled_at && html`<small>${t('enrolled', { date: day(enrolled_at) })}</small>`}
</li>`

/** @param {{ matches?: Match[], finding: Finding }} given */
function Matches({ matches, finding }) {
  if (!matches) return html`<p class="none">${t('candidates.unseen')}</p>`
  if (!matches.length) return html`<p class="none">${t('candidates.none')}</p>`
  const shown = shownOf(matches, finding)
  const hidden = matches.length - shown.length
  return html`
    ${shown.length > 0 && html`<ol>${shown.map((match) => html`<${Candidate} match=${match} threshold=${finding.answer?.threshold ?? 0} />`)}</ol>`}
    ${hidden > 0 && html`<p class="none">${t('candidates.hidden', { n: hidden })}</p>`}`
}

/** @param {{ item: Item, page: Page, found: Found, finding: Finding }} given */
export function Candidates({ item, page, found, finding }) {
  const list = useRef(/** @type {any} */ (null))
  const crop = useCrops(item, page, found)
  const { held } = item.looking ?? {}
  const chosen = current(item)
  useEffect(() => {
    const face = list.current.children[held ?? -1]
    const panel = list.current.closest('.inspector') // on small screens it does not scroll: the photo stays in sight
    if (face) panel.scrollTop += Math.min(0, face.getBoundingClientRect().top - panel.getBoundingClientRect().top)
      || Math.max(0, face.getBoundingClientRect().top - panel.getBoundingClientRect().bottom + panel.clientHeight / 2)
  }, [held])
  const others = finding.answer?.queries.filter(({ face }) => !found.faces[face ?? -1]) ?? []
  const seen = (/** @type {number | undefined} */ place) => () => place !== item.looking?.seen && look(page, item.id, { seen: place })
  // Where the list scrolls below a pointer that rests, keys go first.
  const moved = (/** @type {number} */ place) => (/** @type {PointerEvent} */ { movementX, movementY }) => (movementX || movementY) && seen(place)()
  const left = () => {
    const at = [...list.current.children].findIndex((each) => each.querySelector(':focus-visible'))
    seen(at < 0 ? undefined : at)()
  }
  return html`<ul class="candidates" ref=${list}>
    ${found.faces.map((face, place) => html`<li class=${place === chosen ? 'chosen' : ''} key=${place}
      onPointerMove=${moved(place)} onPointerLeave=${left} onfocusin=${seen(place)} onfocusout=${seen(undefined)}>
      <button type="button" aria-pressed=${held === place ? 'true' : 'false'} onClick=${() => hold(page, item.id, place)}>
        ${crop(face)}<b>${t('face.n', { i: place + 1 })}</b>
      </button>
      <${Matches} matches=${matchesOf(finding, place)} finding=${finding} />
    </li>`)}
    ${others.map(({ matches }) => html`<li><p class="other">${crop()}<b>${t('face.other')}</b></p>
      <${Matches} matches=${matches} finding=${finding} /></li>`)}
  </ul>`
}
