/** Start a state machine: an example to begin with, an input, and what its schema says about it. */

import { Problem } from '../../core/api.js'
import { t } from '../../core/i18n.js'
import { titleOf } from '../../parts/trouble.js'
import { html, useEffect, useState } from '../../vendor/htm-preact.js'
import { post, useAnswer } from './asking.js'
import { Editor, faultsOf } from './editor.js'
import { Head, Rest } from './frame.js'
import { Json } from './json.js'
import { read } from './locate.js'
import { to } from './place.js'

/** @import { Page } from '../../core/types' */
/** @import { Machine } from './types' */

/** @param {unknown} value */
const pretty = (value) => JSON.stringify(value, null, 2)

/** @param {{ page: Page, name: string }} given */
export function Start({ page, name }) {
  const { answer, problem, again } = useAnswer(page, `/console/machines/${encodeURIComponent(name)}`)
  /** @type {Machine | undefined} */
  const machine = answer
  const [text, setText] = useState('')
  const [called, setCalled] = useState('')
  const [wrong, setWrong] = useState(/** @type {Problem | undefined} */ (undefined))
  const [busy, setBusy] = useState(false)
  useEffect(() => {
    if (machine && !text) setText(pretty(machine.examples[0]?.input ?? {}))
  }, [machine])
  const change = (/** @type {string} */ given) => {
    setText(given)
    setWrong(undefined)
  }
  async function start(/** @type {SubmitEvent} */ event) {
    event.preventDefault()
    const { value, wrong: broken } = read(text)
    if (broken !== undefined) return document.getElementById('input')?.focus()
    setBusy(true)
    setWrong(undefined)
    try {
      const begun = await post(page, '/console/executions', { machine: name, input: value, ...(called.trim() && { name: called.trim() }) })
      page.say(t('c.start.done'))
      location.hash = to('executions', begun.machine, begun.name)
    } catch (error) {
      if (error instanceof Problem) setWrong(error)
      setBusy(false)
    }
  }
  const faults = wrong ? faultsOf(wrong) : []
  return html`<${Head} title=${t('c.start.of', { name })} back=${{ href: to('machines', name), text: name }} />
    <${Rest} ready=${Boolean(machine)} problem=${problem} again=${again}>
      <div class="split-view">
        <form class="start main-part" onSubmit=${start}>
          ${machine && machine.examples.length > 0 && html`<div class="examples" role="group" aria-label=${t('c.examples')}>
            <p class="quiet">${t('c.examples')}</p>
            ${machine.examples.map(({ title, input }) => html`<button class="btn soft" type="button" lang="en" onClick=${() => change(pretty(input))}>${title}</button>`)}
          </div>`}
          <${Editor} id="input" label=${t('c.input')} text=${text} faults=${faults} onInput=${change} />
          ${wrong && html`<p class="note odd" role="alert" lang="en">${titleOf(wrong.trouble)}${!faults.length && wrong.trouble.detail ? `: ${wrong.trouble.detail}` : ''}
            ${wrong.trouble.hint && html` ${wrong.trouble.hint}`}</p>`}
          <label class="named">${t('c.start.name')}<input type="text" autocomplete="off" spellcheck=${false} maxlength="80" value=${called}
            onInput=${(/** @type {any} */ event) => setCalled(event.target.value)} /></label>
          <button class="btn primary" type="submit" disabled=${busy}>${t('c.start')}</button>
        </form>
        <aside class="side" aria-label=${t('c.schema')}><${Json} page=${page} title=${t('c.schema')} value=${machine?.input_schema} /></aside>
      </div>
    <//>`
}
