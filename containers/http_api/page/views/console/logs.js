/** What containers logged for an execution, by its trace id. */

import { ask } from '../../core/api.js'
import { t } from '../../core/i18n.js'
import { Switch } from '../../parts/controls.js'
import { html, useState } from '../../vendor/htm-preact.js'
import { useAnswer } from './asking.js'
import { Rest } from './frame.js'
import { Json } from './json.js'

/** @import { Page } from '../../core/types' */
/** @import { LogLine } from './types' */

const EVERY_MS = 3000
const LOUD = ['WARNING', 'ERROR', 'CRITICAL']

/** @param {{ page: Page, line: LogLine }} given */
function Line({ page, line: { at, container, level, message, error, fields } }) {
  const [open, setOpen] = useState(false)
  return html`<li><details class=${`log ${LOUD.includes(level) ? 'odd' : ''}`} onToggle=${(/** @type {any} */ event) => setOpen(event.target.open)}>
    <summary><time>${at.slice(11, 23)}</time><b>${level}</b><span class="quiet">${container}</span><span lang="en">${message}${error && ` · ${error}`}</span></summary>
    ${open && html`<${Json} page=${page} title=${t('c.fields')} value=${fields} />`}
  </details></li>`
}

/** @param {{ page: Page, path: string, runs: boolean }} given */
export function Logs({ page, path, runs }) {
  const { answer, problem, again } = useAnswer(page, `${path}/logs`, () => (runs ? EVERY_MS : 0))
  const [loud, setLoud] = useState(false)
  const [more, setMore] = useState(/** @type {{ lines: LogLine[], cursor?: string | null }} */ ({ lines: [] }))
  const lines = [...(answer?.lines ?? []), ...more.lines]
  const cursor = more.cursor === undefined ? answer?.cursor : more.cursor
  const shown = lines.filter(({ level }) => !loud || LOUD.includes(level))
  const load = () =>
    ask('GET', `${path}/logs?cursor=${encodeURIComponent(cursor)}`).then(
      (next) => setMore({ lines: [...more.lines, ...next.lines], cursor: next.cursor }),
      (error) => page.queue.heed(error),
    )
  return html`<${Rest} ready=${Boolean(answer)} problem=${problem} again=${again}>
    <${Switch} label=${t('c.logs.loud')} on=${loud} onChange=${setLoud} />
    ${shown.length ? html`<ol class="logs">${shown.map((line, at) => html`<${Line} key=${`${line.at} ${at}`} page=${page} line=${line} />`)}</ol>`
      : html`<p class="quiet">${t('c.logs.none')}</p>`}
    ${cursor && html`<button class="btn soft" type="button" onClick=${load}>${t('c.more')}</button>`}
  <//>`
}
