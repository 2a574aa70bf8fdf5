/** The same machine as a list: every state, what became of it, and every way out of it. */

import { t } from '../../../core/i18n.js'
import { html } from '../../../vendor/htm-preact.js'
import { sign } from '../words.js'

/** @import { Edge, Scope, State } from './asl.js' */
/** @import { Seen } from '../visits.js' */

/** @param {Scope} scope @param {string} id @returns {Edge[]} the ways out of a state, wherever it is */
const waysFrom = (scope, id) =>
  scope.states.some((each) => each.id === id)
    ? scope.edges.filter(({ from }) => from === id)
    : scope.states.flatMap(({ scopes }) => scopes.flatMap((part) => waysFrom(part, id)))

/** @param {Edge} edge @returns {string} */
const inWords = ({ to, kind, label }) => t(`c.way.${kind}`, { to, why: label })

/** @param {Scope} scope @param {State} state @param {Seen} [seen] @returns {string} what a screen reader hears of a state, after its name */
export const describe = (scope, state, seen) =>
  [
    state.type, seen && t(`c.is.${seen.status}`),
    ...waysFrom(scope, state.id).map(inWords), state.ends && t('c.way.ends'),
  ].filter(Boolean).join('. ')

/** @param {{ scope: Scope, seen?: Map<string, Seen>, chosen: string, onChoose: (id: string) => void }} given */
export const States = ({ scope, seen, chosen, onChoose }) => html`<ol class="states">
  ${scope.states.map((state) => {
    const mine = seen?.get(state.id)
    return html`<li key=${state.id}>
      <button class=${`pick is-${mine?.status ?? 'plain'}`} type="button" aria-pressed=${state.id === chosen ? 'true' : 'false'} onClick=${() => onChoose(state.id)}>
        ${mine ? sign(mine.status) : html`<span class="nothing"></span>`}<b>${state.id}</b>
        <span>${mine ? `${t(`c.is.${mine.status}`)} · ${mine.text}` : state.type}</span>
      </button>
      <ul class="ways">
        ${scope.edges.filter(({ from }) => from === state.id).map((edge) => html`<li>${inWords(edge)}</li>`)}
        ${state.ends && html`<li>${t('c.way.ends')}</li>`}
      </ul>
      ${state.scopes.map((part, at) => html`<div class="inside" role="group" aria-label=${t('c.inside', { name: state.id, i: at + 1 })}>
        <${States} scope=${part} seen=${seen} chosen=${chosen} onChoose=${onChoose} /></div>`)}
    </li>`
  })}
</ol>`
