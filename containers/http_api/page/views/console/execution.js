/** One execution: its graph as far as it went, its states in time, its logs, and what can be done with it. */

import { ask } from '../../core/api.js'
import { t } from '../../core/i18n.js'
import { html, useMemo, useState } from '../../vendor/htm-preact.js'
import { Acts } from './acts.js'
import { useAnswer } from './asking.js'
import { Head, Rest, Tabs } from './frame.js'
import { readScope } from './graph/asl.js'
import { Graph } from './graph/graph.js'
import { States } from './graph/list.js'
import { Cause, Json } from './json.js'
import { Logs } from './logs.js'
import { executionPath, to } from './place.js'
import { StateSide } from './state.js'
import { Timeline } from './timeline.js'
import { firstToSee, seenOf, takenOf } from './visits.js'
import { Badge, lasted, lengthOf, moment } from './words.js'

/** @import { Page } from '../../core/types' */
/** @import { Execution as Answer, Visit } from './types' */

const EVERY_MS = 1500
const SETTLING_MS = 5000 // a redrive from elsewhere shows, too
const TABS = ['graph', 'list', 'timeline', 'logs', 'data']

/** @param {{ page: Page, execution: Answer }} given */
const Facts = ({ page, execution }) => html`<dl class="facts-of">
    <dt>${t('c.started')}</dt><dd>${moment(execution.started_at)}</dd>
    <dt>${t('c.took')}</dt><dd>${lasted(lengthOf(execution))}</dd>
    <dt>${t('c.trace')}</dt><dd>${execution.trace_id}</dd>
    ${execution.started_by && html`<dt>${t('c.started.by')}</dt>
      <dd><a class="to" href=${to('executions', execution.started_by.machine, execution.started_by.name)}>${execution.started_by.machine}</a></dd>`}
  </dl>
  ${execution.error && html`<div class="trouble"><b lang="en">${execution.error}</b>
    ${execution.cause && html`<${Cause} page=${page} text=${execution.cause} />`}</div>`}
  ${execution.truncated && html`<p class="note odd">${t('c.truncated')}</p>`}`

/** @param {{ page: Page, machine: string, name: string }} given */
export function Execution({ page, machine, name }) {
  const path = executionPath(machine, name)
  const { answer, problem, again } = useAnswer(page, path, (/** @type {Answer} */ { status }) => (status === 'running' ? EVERY_MS : SETTLING_MS))
  const told = useAnswer(page, `/console/machines/${encodeURIComponent(machine)}`)
  const [rest, setRest] = useState(/** @type {{ states: Visit[], cursor?: string | null }} */ ({ states: [] }))
  const cursor = rest.cursor === undefined ? answer?.cursor : rest.cursor
  const more = () =>
    ask('GET', `${path}?cursor=${encodeURIComponent(`${cursor}`)}`).then(
      (next) => setRest({ states: [...rest.states, ...next.states], cursor: next.cursor }),
      (error) => page.queue.heed(error),
    )
  /** @type {Answer | undefined} */
  const execution = answer && { ...answer, states: [...answer.states, ...rest.states] }
  const scope = useMemo(() => readScope(told.answer?.definition ?? {}), [told.answer])
  const seen = useMemo(() => seenOf(execution?.states ?? []), [answer, rest])
  const went = useMemo(() => takenOf(execution?.states ?? []), [answer, rest])
  const [picked, choose] = useState('')
  const [tab, show] = useState('graph')
  const first = firstToSee(execution?.states ?? [])
  const chosen = picked || first?.name || ''
  const near = picked || first?.status === 'succeeded' ? '' : first?.name
  return html`<${Head} title=${name} back=${{ href: `${to('executions')}?machine=${machine}`, text: machine }}
      says=${execution && html`<${Badge} status=${execution.status} />`}>
      ${execution && html`<${Acts} page=${page} execution=${execution} again=${again} />`}
    <//>
    <${Rest} ready=${Boolean(execution)} problem=${problem} again=${again}>
      ${execution && html`<${Facts} page=${page} execution=${execution} />
      <div class="split-view">
        <div class="main-part">
          <${Tabs} label=${t('modes')} name="execution" chosen=${tab} onChoose=${show} tabs=${TABS.map((id) => ({ id, text: t(`c.tab.${id}`) }))} />
          <div class="panel" id="execution-panel" role="tabpanel" aria-labelledby=${`execution-${tab}`} key=${tab}>
            ${tab === 'graph' ? (told.answer || told.problem
                ? html`<${Graph} scope=${scope} label=${t('c.graph.of', { name: machine })} seen=${seen} went=${went} near=${near} chosen=${chosen} onChoose=${choose} />` : null)
              : tab === 'list' ? html`<${States} scope=${scope} seen=${seen} chosen=${chosen} onChoose=${choose} />`
              : tab === 'timeline' ? html`<${Timeline} execution=${execution} chosen=${chosen} onChoose=${choose} />`
              : tab === 'logs' ? html`<${Logs} page=${page} path=${path} runs=${execution.status === 'running'} />`
              : html`<${Json} page=${page} title=${t('c.input')} value=${execution.input} /><${Json} page=${page} title=${t('c.output')} value=${execution.output} />`}
          </div>
          ${cursor && html`<button class="btn soft" type="button" onClick=${more}>${t('c.states.more')}</button>`}
        </div>
        <${StateSide} page=${page} name=${chosen} seen=${seen.get(chosen)} key=${chosen} />
      </div>`}
    <//>`
}
