/** The page's name, with the ways to the console and the settings; the one popover of settings. */

import { LANGUAGES, language, t } from '../core/i18n.js'
import { html } from '../vendor/htm-preact.js'
import { PURPOSES, offered } from '../views/cutout/purposes.js'
import { Segments, Select, Swatches } from './controls.js'
import { icon } from './icon.js'

/** @import { Page, Settings } from '../core/types' */

/** @param {{ page: Page }} given */
export const Brand = ({ page }) => html`<div class="brand">${icon('mark')}Matteline
  ${page.store.state.operator && html`<a class="ib" href="#/console" aria-label=${t('console')} title=${t('console')}>${icon('flow')}</a>`}
  <button class="ib" type="button" aria-label=${t('settings')} title=${t('settings')} popovertarget="settings">${icon('settings')}</button>
</div>`

/** @param {{ page: Page }} given */
export function SettingsPopover({ page }) {
  const { change } = page
  const { settings, models } = page.store.state
  const themes = [['auto', 'theme.auto'], ['light', 'light'], ['dark', 'dark']]
  const languages = Object.entries(LANGUAGES).map(([value, text]) => ({ value, text }))
  return html`<div class="settings" id="settings" popover="auto" role="dialog" aria-label=${t('settings')}>
    <div class="popped-head"><h2>${t('settings')}</h2>
      <button class="ib" type="button" aria-label=${t('close')} popovertarget="settings" popovertargetaction="hide">
        ${icon('close')}</button>
    </div>
    <h3>${t('theme')}</h3>
    <${Segments} label=${t('theme')} name="theme" value=${settings.theme}
      choices=${themes.map(([value, key]) => ({ value, text: t(key) }))}
      onChoose=${(/** @type {Settings['theme']} */ theme) => change({ theme })} />
    <h3>${t('language')}</h3>
    <${Select} label=${t('language')} value=${language()} choices=${languages}
      onChoose=${(/** @type {string} */ code) => change({ language: code })} />
    <h3>${t('bg.default')}</h3>
    <${Swatches} label=${t('bg.default')} name="usual" value=${settings.background}
      onChoose=${(/** @type {string} */ background) => change({ background })} />
    <h3>${t('model.default')}</h3>
    <${Select} label=${t('model.default')} value=${settings.model}
      choices=${offered(models).map((model) => ({ value: model, text: t(`model.${PURPOSES[model]}`) }))}
      onChoose=${(/** @type {string} */ model) => change({ model })} />
    ${page.signOut && html`<h3>${t('signout.what')}</h3>
      <button class="btn" type="button" onClick=${page.signOut}>${t('signout')}</button>`}
  </div>`
}
