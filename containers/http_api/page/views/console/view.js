/** The console: what operators see of state machines, executions, quarantine and containers. */

import { t } from '../../core/i18n.js'
import { styled } from '../../parts/controls.js'
import { Brand } from '../../parts/settings.js'
import { html, useEffect, useState } from '../../vendor/htm-preact.js'
import { useAnswer } from './asking.js'
import { Containers } from './containers.js'
import { Execution } from './execution.js'
import { Executions } from './executions.js'
import { Nothing, Trouble } from './frame.js'
import { Machine } from './machine.js'
import { Machines } from './machines.js'
import { placeOf, to } from './place.js'
import { Quarantine } from './quarantine.js'
import { Start } from './start.js'
import { useWords } from './words.js'

/** @import { Page } from '../../core/types' */
/** @import { Place } from './types' */

await Promise.all(['css/console.css', 'css/confirm.css'].map(styled))

const VIEWS = ['machines', 'executions', 'quarantine', 'containers']

/** @param {{ page: Page, place: Place }} given */
function View({ page, place }) {
  const { view, names } = place
  const [first, second] = names
  if (view === 'machines' && !first) return html`<${Machines} page=${page} />`
  if (view === 'machines' && names.length === 1) return html`<${Machine} page=${page} name=${first} key=${first} />`
  if (view === 'start' && names.length === 1) return html`<${Start} page=${page} name=${first} key=${first} />`
  if (view === 'executions' && !first) return html`<${Executions} page=${page} place=${place} />`
  if (view === 'executions' && names.length === 2) return html`<${Execution} page=${page} machine=${first} name=${second} key=${`${first} ${second}`} />`
  if (view === 'quarantine' && !first) return html`<${Quarantine} page=${page} />`
  if (view === 'containers' && !first) return html`<${Containers} page=${page} />`
  return html`<${Nothing} />`
}

/** @param {{ page: Page }} given */
export function Console({ page }) {
  const [hash, setHash] = useState(location.hash)
  useEffect(() => {
    const moved = () => setHash(location.hash)
    window.addEventListener('hashchange', moved)
    return () => window.removeEventListener('hashchange', moved)
  }, [])
  const { operator } = page.store.state
  const { answer, problem } = useAnswer(page, operator ? null : '/console/executions?machine=cutout&limit=1')
  if (!useWords()) return null
  if (problem) return html`<main class="console" id="stage" tabindex="-1">${problem.status === 404 ? html`<${Nothing} />` : html`<${Trouble} problem=${problem} />`}</main>`
  if (!operator && !answer) return null
  const place = placeOf(hash)
  const within = place.view === 'start' ? 'machines' : place.view
  return html`<div class="console">
    <header class="top">
      <${Brand} page=${page} />
      <nav aria-label=${t('c.title')}>
        <a href="#">${t('c.files')}</a>
        ${VIEWS.map((view) => html`<a href=${to(view)} aria-current=${view === within ? 'page' : undefined}>${t(`c.${view}`)}</a>`)}
      </nav>
    </header>
    <main id="stage" tabindex="-1"><${View} page=${page} place=${place} /></main>
  </div>`
}
