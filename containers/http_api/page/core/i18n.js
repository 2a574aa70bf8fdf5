/** Words in the user's language. A language is one file in `lang/`, and one line here. */

/** @import { Texts } from './types' */

/** @type {Record<string, string>} */
export const LANGUAGES = { en: 'English', ko: '한국어' }

let code = 'en'
/** @type {Texts} */
let texts = {}

/** @param {string} chosen a code, or '' for the browser's language */
export async function speak(chosen) {
  const wanted = chosen ? [chosen] : navigator.languages.map((each) => each.split('-')[0])
  code = wanted.find((each) => each in LANGUAGES) ?? 'en'
  texts = (await import(`../lang/${code}.js`)).default
  document.documentElement.lang = code
}

/** @param {Texts} more those of a part that is fetched later */
export const learn = (more) => Object.assign(texts, more)

/** @param {string} key */
export const has = (key) => key in texts

/** @param {string} key @param {Record<string, string | number>} [values] `n` decides the plural */
export function t(key, values = {}) {
  const text = texts[key] ?? key
  const form = new Intl.PluralRules(code).select(Number(values.n ?? 1)) === 'one' ? 'one' : 'other'
  return (typeof text === 'string' ? text : text[form]).replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name]
    return typeof value === 'number' ? number(value) : value
  })
}

/** @param {number} value @param {Intl.NumberFormatOptions} [options] */
export const number = (value, options) => new Intl.NumberFormat(code, options).format(value)

/** @param {number} ms */
export const seconds = (ms) => number(ms / 1000, { minimumFractionDigits: 1, maximumFractionDigits: 1 })

/** @param {number} s @returns {string} 1:02:03 or 2:03 */
export function span(s) {
  const [hours, minutes, rest] = [s / 3600, (s / 60) % 60, s % 60].map(Math.floor)
  return [...(hours ? [hours, `${minutes}`.padStart(2, '0')] : [minutes]), `${rest}`.padStart(2, '0')].join(':')
}

/** @param {string} tag @returns {string} the name of a language */
export const languageName = (tag) => new Intl.DisplayNames(code, { type: 'language' }).of(tag) ?? tag

/** @param {number} bytes */
export function size(bytes) {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte']
  const step = Math.min(3, Math.floor(Math.log10(Math.max(1, bytes)) / 3))
  return number(bytes / 1000 ** step, {
    style: 'unit', unit: units[step], unitDisplay: step ? 'short' : 'long', maximumFractionDigits: step > 1 ? 1 : 0,
  })
}

/** @param {number} at ms */
export const clock = (at) => new Intl.DateTimeFormat(code, { timeStyle: 'short' }).format(at)

/** @param {string} at ISO 8601 @returns {string} a date */
export const day = (at) => new Intl.DateTimeFormat(code, { dateStyle: 'medium' }).format(Date.parse(at))

/** @returns {string} */
export const language = () => code
