/** One state machine: its graph, what each state is, and ways to start it and to see its executions. */

import { t } from '../../core/i18n.js'
import { html, useMemo, useState } from '../../vendor/htm-preact.js'
import { useAnswer } from './asking.js'
import { Head, Rest, Tabs } from './frame.js'
import { allStates, readScope } from './graph/asl.js'
import { Graph } from './graph/graph.js'
import { States } from './graph/list.js'
import { Json } from './json.js'
import { queried, to } from './place.js'

/** @import { Page } from '../../core/types' */
/** @import { Machine as Answer } from './types' */

/** @param {any} definition @param {string} id @returns {any} a state, wherever it is */
export function findState(definition, id) {
  for (const [name, state] of Object.entries(/** @type {Record<string, any>} */ (definition?.States ?? {}))) {
    if (name === id) return state
    for (const part of state.Branches ?? [state.ItemProcessor ?? state.Iterator]) {
      const found = part && findState(part, id)
      if (found) return found
    }
  }
  return undefined
}

/** @param {{ page: Page, name: string }} given */
export function Machine({ page, name }) {
  const { answer, problem, again } = useAnswer(page, `/console/machines/${encodeURIComponent(name)}`)
  /** @type {Answer | undefined} */
  const machine = answer
  const scope = useMemo(() => readScope(machine?.definition ?? {}), [machine])
  const [chosen, choose] = useState('')
  const [tab, show] = useState('graph')
  const state = chosen && allStates(scope).find(({ id }) => id === chosen)
  return html`<${Head} title=${name} says=${html`<span lang="en">${machine?.comment}</span>`} back=${{ href: to('machines'), text: t('c.machines') }}>
      <a class="btn soft" href=${`${to('executions')}${queried({ machine: name })}`}>${t('c.executions')}</a>
      ${machine?.input_schema && html`<a class="btn primary" href=${to('start', name)}>${t('c.start')}</a>`}
    <//>
    <${Rest} ready=${Boolean(machine)} problem=${problem} again=${again}>
      <div class="split-view">
        <div class="main-part">
          <${Tabs} label=${t('modes')} name="machine" chosen=${tab} onChoose=${show}
            tabs=${['graph', 'list', 'definition'].map((id) => ({ id, text: t(`c.tab.${id}`) }))} />
          <div class="panel" id="machine-panel" role="tabpanel" aria-labelledby=${`machine-${tab}`} key=${tab}>
            ${tab === 'graph' ? html`<${Graph} scope=${scope} label=${t('c.graph.of', { name })} chosen=${chosen} onChoose=${choose} />`
              : tab === 'list' ? html`<${States} scope=${scope} chosen=${chosen} onChoose=${choose} />`
              : html`<${Json} page=${page} title=${t('c.tab.definition')} value=${machine?.definition} />`}
          </div>
        </div>
        <aside class="side" aria-label=${t('c.state')}>
          ${state ? html`<h2>${state.id}</h2><p class="quiet">${state.type}</p><p lang="en">${state.comment}</p>
            <${Json} page=${page} title=${t('c.tab.definition')} value=${findState(machine?.definition, state.id)} key=${state.id} />`
            : html`<p class="quiet">${t('c.state.choose')}</p>`}
        </aside>
      </div>
    <//>`
}
