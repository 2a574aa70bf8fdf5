/** What every view of the console has: a heading, what is said while nothing is there, tabs. */

import { t } from '../../core/i18n.js'
import { titleOf } from '../../parts/trouble.js'
import { html, useEffect, useRef } from '../../vendor/htm-preact.js'

/** @import { Problem } from '../../core/api.js' */

/** @param {{ title: string, says?: unknown, back?: { href: string, text: string }, children?: unknown }} given `children` are what can be done */
export function Head({ title, says, back, children }) {
  const heading = useRef(/** @type {any} */ (null))
  useEffect(() => {
    document.title = `${title} · Matteline`
    heading.current.focus({ preventScroll: true })
  }, [title])
  return html`<header class="head">
    <div class="min">
      ${back && html`<a class="up" href=${back.href}>${back.text}</a>`}
      <h1 tabindex="-1" ref=${heading}>${title}</h1>
      ${says && html`<p class="quiet">${says}</p>`}
    </div>
    <div class="acts">${children}</div>
  </header>`
}

/** @param {{ problem: Problem, again?: () => void }} given */
export const Trouble = ({ problem: { trouble }, again }) => html`<div class="trouble" role="alert">
  <b lang="en">${titleOf(trouble)}</b>
  ${trouble.detail && html`<p lang="en">${trouble.detail}</p>`}
  ${trouble.hint && html`<p lang="en">${trouble.hint}</p>`}
  ${again && html`<button class="btn soft" type="button" onClick=${again}>${t('retry')}</button>`}
</div>`

/** Where there is nothing, or nothing for this user: the service's answer is the same. */
export function Nothing() {
  useEffect(() => {
    document.title = `${t('c.missing')} · Matteline`
  }, [])
  return html`<div class="trouble" role="alert">
    <h2>${t('c.missing')}</h2><p>${t('c.missing.why')}</p><a class="btn soft" href="#">${t('back')}</a>
  </div>`
}

/** @param {{ ready: boolean, problem?: Problem, again: () => void, children?: unknown }} given What was asked for, or why it is not there. */
export function Rest({ ready, problem, again, children }) {
  if (problem) return problem.status === 404 ? html`<${Nothing} />` : html`<${Trouble} problem=${problem} again=${again} />`
  if (!ready) return html`<p class="wait"><i class="spin"></i>${t('c.loading')}</p>`
  return children
}

/**
 * @param {{ label: string, name: string, tabs: { id: string, text: string }[], chosen: string, onChoose: (id: string) => void }} given
 *   the panel is `{name}-panel`
 */
export function Tabs({ label, name, tabs, chosen, onChoose }) {
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (!step) return
    const at = tabs.findIndex(({ id }) => `${name}-${id}` === document.activeElement?.id)
    const { id } = tabs[(at + step + tabs.length) % tabs.length]
    onChoose(id)
    document.getElementById(`${name}-${id}`)?.focus()
  }
  return html`<div class="seg" role="tablist" aria-label=${label} onKeyDown=${onKeyDown}>
    ${tabs.map(({ id, text }) => html`<button type="button" role="tab" id=${`${name}-${id}`} aria-selected=${id === chosen ? 'true' : 'false'}
      aria-controls=${`${name}-panel`} tabindex=${id === chosen ? 0 : -1} onClick=${() => onChoose(id)}>${text}</button>`)}
  </div>`
}
