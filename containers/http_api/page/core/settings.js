/** The user's four choices, kept by the browser. */

/** @import { Settings } from './types' */

const NAME = 'matteline'
/** @type {Settings} */
const FIRST = { theme: 'auto', language: '', background: '', model: '' }

/** @returns {Settings} */
export function keptSettings() {
  try {
    return { ...FIRST, ...JSON.parse(localStorage.getItem(NAME) ?? '{}') }
  } catch {
    return FIRST // the browser keeps nothing, or something else wrote there
  }
}

/** @param {Settings} settings */
export function keepSettings(settings) {
  try {
    localStorage.setItem(NAME, JSON.stringify(settings))
  } catch {
    // the browser keeps nothing: the choice lasts until the page is closed
  }
}

/** @param {Settings} settings */
export function applyTheme({ theme }) {
  if (theme === 'auto') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
}
