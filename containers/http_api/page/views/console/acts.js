/** Stop an execution, go on with it (redrive), or do its work again (replay). Each asks first. */

import { Problem } from '../../core/api.js'
import { t } from '../../core/i18n.js'
import { Switch } from '../../parts/controls.js'
import { Confirm } from '../../parts/confirm.js'
import { titleOf } from '../../parts/trouble.js'
import { html, useState } from '../../vendor/htm-preact.js'
import { post } from './asking.js'
import { Editor, faultsOf } from './editor.js'
import { read } from './locate.js'
import { executionPath, to } from './place.js'

/** @import { Page } from '../../core/types' */
/** @import { Fault } from './editor.js' */
/** @import { Execution } from './types' */

/**
 * Options as JSON; nothing in it leaves them as they are.
 * @param {{ id: string, text: string, faults: Fault[], onInput: (text: string) => void }} given
 */
export const OptionsField = ({ id, text, faults, onInput }) =>
  html`<${Editor} id=${id} label=${t('c.options')} text=${text} faults=${faults} onInput=${onInput} small=${true} />`

/** @param {string} text @returns {boolean} whether it is an object */
export const isObject = (text) => {
  const { value } = read(text)
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

/** @param {{ page: Page, execution: Execution, again: () => void }} given */
export function Acts({ page, execution, again }) {
  const { machine, name, can } = execution
  const [asks, setAsks] = useState(/** @type {'' | 'stop' | 'redrive' | 'replay'} */ (''))
  const [force, setForce] = useState(true)
  const [text, setText] = useState('{}')
  const [wrong, setWrong] = useState(/** @type {Problem | undefined} */ (undefined))
  const [busy, setBusy] = useState(false)
  async function act() {
    const what = asks
    setBusy(true)
    setWrong(undefined)
    try {
      const options = read(text).value ?? {}
      const body = what === 'replay' ? { force, ...(Object.keys(options).length && { options }) } : undefined
      const answer = await post(page, `${executionPath(machine, name)}/${what}`, body)
      setAsks('')
      page.say(t(`c.${what}.done`))
      if (what === 'replay') location.hash = to('executions', answer.machine, answer.name)
      else again()
    } catch (error) {
      if (error instanceof Problem) setWrong(error)
    } finally {
      setBusy(false)
    }
  }
  const open = (/** @type {typeof asks} */ what) => {
    setWrong(undefined)
    setAsks(what)
  }
  return html`
    ${(/** @type {const} */ (['stop', 'redrive', 'replay'])).map((what) => can[what] && html`<button class="btn soft" type="button"
      onClick=${() => open(what)}>${t(`c.${what}`)}</button>`)}
    ${asks && html`<${Confirm} key=${asks} title=${t(`c.${asks}.sure`)} says=${[t(`c.${asks}.what`)]} yes=${t(`c.${asks}`)}
      ready=${!busy && (asks !== 'replay' || isObject(text))} stays=${true} onYes=${act} onEnd=${() => setAsks('')}>
      ${asks === 'replay' && html`<${Switch} label=${t('c.force')} on=${force} onChange=${setForce} />
        <${OptionsField} id="replay-options" text=${text} faults=${wrong ? faultsOf(wrong) : []} onInput=${(/** @type {string} */ given) => (setText(given), setWrong(undefined))} />`}
      ${wrong && html`<p class="note odd" role="alert" lang="en">${titleOf(wrong.trouble)}${wrong.trouble.detail && `: ${wrong.trouble.detail}`}</p>`}
    <//>`}`
}
