/** Controls that several parts share. Each is a native one, so keys and screen readers know it. */

import { t } from '../core/i18n.js'
import { html, useEffect, useState } from '../vendor/htm-preact.js'
import { icon } from './icon.js'

/** @typedef {{ value: string | number, text: string }} Choice */

/** @param {{ label: string, value: string | number, choices: Choice[], onChoose: (value: string) => void }} given */
export const Select = ({ label, value, choices, onChoose }) => html`
  <span class="field">
    <select aria-label=${label} value=${value} onChange=${(/** @type {any} */ e) => onChoose(e.target.value)}>
      ${choices.map((each) => html`<option value=${each.value} selected=${each.value === value}>${each.text}</option>`)}
    </select>
    ${icon('down', 's')}
  </span>`

/** @param {{ label: string, name: string, value: string, choices: Choice[], onChoose: (value: string) => void }} given */
export const Segments = ({ label, name, value, choices, onChoose }) => html`
  <div class="seg fill" role="radiogroup" aria-label=${label}>
    ${choices.map(
      (each) => html`<label>
        <input class="sr" type="radio" name=${name} checked=${each.value === value} onChange=${() => onChoose(`${each.value}`)} />
        ${each.text}
      </label>`,
    )}
  </div>`

/** @param {{ label: string, on: boolean, onChange: (on: boolean) => void }} given */
export const Switch = ({ label, on, onChange }) => html`
  <label class="line">
    ${label}
    <input class="switch" type="checkbox" role="switch" checked=${on}
      onChange=${(/** @type {any} */ e) => onChange(e.target.checked)} />
  </label>`

/** The colours that are one press away, by the end of their text's key. */
export const COLOURS = { none: '', white: '#ffffff', black: '#101211', grey: '#b9bcb8', sand: '#e6d3ba' }

/** @param {string} value @returns {string} a colour's name in words */
export const colourName = (value) =>
  t(`bg.${Object.entries(COLOURS).find(([, colour]) => colour === value)?.[0] ?? 'any'}`)

/** @param {{ label: string, name: string, value: string, onChoose: (value: string) => void }} given */
export function Swatches({ label, name, value, onChoose }) {
  const known = Object.values(COLOURS).includes(value)
  return html`
    <div class="swatches" role="radiogroup" aria-label=${label}>
      ${Object.entries(COLOURS).map(
        ([key, colour]) => html`<input type="radio" name=${name} class=${`swatch ${key}`}
          aria-label=${t(`bg.${key}`)} title=${t(`bg.${key}`)}
          checked=${value === colour} onChange=${() => onChoose(colour)} />`,
      )}
      <input type="radio" name=${name} class="swatch any" aria-label=${t('bg.any')} title=${t('bg.any')}
        checked=${!known} onChange=${() => onChoose('#9fc6c0')} />
      ${!known &&
      html`<input type="color" class="colour" aria-label=${t('bg.any')} value=${value}
        onInput=${(/** @type {any} */ e) => onChoose(e.target.value)} />`}
    </div>`
}

/** @param {{ value: number, most: number }} given The price class as dots. */
export const Price = ({ value, most }) => html`
  <span class="price" role="img" aria-label=${t('price', { n: value, total: most })}>
    ${Array.from({ length: most }, (_, i) => html`<i class=${i < value ? '' : 'no'}></i>`)}
  </span>`

/** @param {{ share: number, label: string }} given `share` is 0 to 1 */
export const Bar = ({ share, label }) => html`
  <div class="bar" role="progressbar" aria-label=${label} aria-valuenow=${Math.round(share * 100)}
    style=${{ '--share': share }}><i></i></div>`

/** @param {string} href @returns {Promise<void>} once a style sheet of a view that is fetched later is in use */
export const styled = (href) =>
  new Promise((resolve, reject) => {
    const link = Object.assign(document.createElement('link'), { rel: 'stylesheet', href, onload: resolve, onerror: reject })
    document.head.append(link)
  })

/** @typedef {(given: any) => unknown} Part */
/**
 * @param {() => Promise<Record<string, any>>} load
 * @param {string} name
 * @returns {Part} one that is fetched when it is first shown
 */
export function later(load, name) {
  /** @type {Part | undefined} */
  let found
  return function Later(given) {
    const [, drawn] = useState(false)
    useEffect(() => {
      if (!found) load().then((module) => drawn(Boolean((found = module[name]))), () => given.page.queue.probe())
    }, [!given.page.store.state.away])
    return found ? html`<${found} ...${given} />` : null
  }
}

/**
 * @param {() => Promise<Blob | undefined>} load
 * @param {unknown[]} inputs
 * @returns {{ url?: string, blob?: Blob, missing?: boolean, error?: any }} the address of a blob
 */
export function useBlob(load, inputs) {
  const [found, setFound] = useState(/** @type {ReturnType<typeof useBlob>} */ ({}))
  useEffect(() => {
    let gone = false
    let url = ''
    setFound({})
    load().then(
      (blob) => {
        if (gone) return
        if (!blob) return setFound({ missing: true })
        url = URL.createObjectURL(blob)
        setFound({ url, blob })
      },
      (error) => gone || setFound({ error }),
    )
    return () => {
      gone = true
      URL.revokeObjectURL(url)
    }
  }, inputs)
  return found
}

/**
 * Tell of a picture whether this browser cannot decode it. The address is kept and not a flag: the picture's error
 * may come before an effect would reset the flag for a new address.
 *
 * @param {string} [url]
 * @returns {[boolean, () => void]} whether it cannot, and what to call when the picture's error says so
 */
export function useBlind(url) {
  const [refused, setRefused] = useState('')
  return [Boolean(url) && url === refused, () => setRefused(url ?? '')]
}

/** @param {Blob} file @param {string} name Hand it to the browser's downloads. */
export function save(file, name) {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(file)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
