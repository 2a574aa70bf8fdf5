/** Executions by machine, status and time, the newest first; those that are shown are kept up to date. */

import { ask } from '../../core/api.js'
import { t } from '../../core/i18n.js'
import { Select } from '../../parts/controls.js'
import { html, useEffect, useState } from '../../vendor/htm-preact.js'
import { useAnswer } from './asking.js'
import { Head, Rest } from './frame.js'
import { queried, to } from './place.js'
import { Badge, lasted, lengthOf, moment } from './words.js'

/** @import { Page } from '../../core/types' */
/** @import { ExecutionRow, Place } from './types' */

const EVERY_MS = 3000
const STATUSES = ['running', 'succeeded', 'failed', 'timed_out', 'aborted']
/** How far back, in hours. @type {Record<string, number>} */
const SINCE = { hour: 1, day: 24, week: 168, month: 720 }

/** @param {{ row: ExecutionRow }} given */
const Row = ({ row }) => html`<li class="row-of">
  <div class="what"><a class="to" href=${to('executions', row.machine, row.name)}>${row.name}</a><p class="quiet">${row.machine}${row.key && ` · ${row.key}`}</p></div>
  <p class="now"><${Badge} status=${row.status} />${row.error && html`<span class="odd" lang="en">${row.error}</span>`}</p>
  <p class="last"><span>${moment(row.started_at)}</span><span class="quiet">${lasted(lengthOf(row))}</span></p>
</li>`

/** @param {{ page: Page, place: Place }} given */
export function Executions({ page, place: { query } }) {
  const [machine, status, since] = ['machine', 'status', 'since'].map((name) => query.get(name) ?? '')
  // Minutes, so that the same question stays the same while it is asked again
  const [from, setFrom] = useState('')
  useEffect(() => {
    setFrom(since in SINCE ? new Date(Math.floor(Date.now() / 60_000) * 60_000 - SINCE[since] * 3_600_000).toISOString().replace('.000', '') : '')
  }, [since])
  const path = `/console/executions${queried({ machine, status, since: since in SINCE ? from : '' })}`
  const ready = !(since in SINCE) || Boolean(from)
  const machines = useAnswer(page, '/console/machines')
  const { answer, problem, again } = useAnswer(page, ready ? path : null, () => EVERY_MS)
  const [more, setMore] = useState(/** @type {{ path: string, items: ExecutionRow[], cursor: string | null, asks?: boolean }} */ ({ path, items: [], cursor: null }))
  const older = more.path === path ? more : { path, items: [], cursor: null, asks: false }
  const fresh = /** @type {ExecutionRow[]} */ (answer?.items ?? [])
  const names = new Set(fresh.map((row) => `${row.machine} ${row.name}`))
  const rows = [...fresh, ...older.items.filter((row) => !names.has(`${row.machine} ${row.name}`))]
  const cursor = older.items.length ? older.cursor : answer?.cursor
  const change = (/** @type {string} */ name) => (/** @type {string} */ value) => {
    location.replace(`${to('executions')}${queried({ machine, status, since, [name]: value })}`)
  }
  const load = async () => {
    setMore({ ...older, asks: true })
    try {
      const next = await ask('GET', `${path}${path.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(`${cursor}`)}`)
      setMore({ path, items: [...older.items, ...next.items], cursor: next.cursor })
    } catch (error) {
      page.queue.heed(error)
      setMore({ ...older, asks: false })
    }
  }
  return html`<${Head} title=${t('c.executions')} />
    <div class="filters" role="group" aria-label=${t('c.filters')}>
      <${Select} label=${t('c.machine')} value=${machine} onChoose=${change('machine')}
        choices=${[{ value: '', text: t('c.machine.all') }, ...(machines.answer?.items ?? []).map((/** @type {any} */ { name }) => ({ value: name, text: name }))]} />
      <${Select} label=${t('c.status')} value=${status} onChoose=${change('status')}
        choices=${[{ value: '', text: t('c.status.all') }, ...STATUSES.map((value) => ({ value, text: t(`c.is.${value}`) }))]} />
      <${Select} label=${t('c.since')} value=${since} onChoose=${change('since')}
        choices=${[{ value: '', text: t('c.since.all') }, ...Object.keys(SINCE).map((value) => ({ value, text: t(`c.since.${value}`) }))]} />
    </div>
    <${Rest} ready=${Boolean(answer)} problem=${problem} again=${again}>
      ${rows.length ? html`<ul class="rows of-executions">${rows.map((row) => html`<${Row} key=${`${row.machine} ${row.name}`} row=${row} />`)}</ul>`
        : html`<p class="wait">${t('c.executions.none')}</p>`}
      ${cursor && html`<button class="btn soft" type="button" disabled=${Boolean(older.asks)} onClick=${load}>${t('c.more')}</button>`}
    <//>`
}
