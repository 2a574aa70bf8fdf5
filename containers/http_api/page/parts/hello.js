/** The page without files: what it is for, and how to begin. */

import { t } from '../core/i18n.js'
import { wantedOf } from '../core/settings.js'
import { html } from '../vendor/htm-preact.js'
import { icon } from './icon.js'
import { Making } from './making.js'
import { Brand } from './settings.js'

/** @import { Page } from '../core/types' */

const SAMPLES = ['vase', 'pear', 'plant']
const SIDE = 1200

/** @param {string} name @returns {Promise<File>} the drawing as a photo would come */
async function sample(name) {
  const drawing = new Image()
  drawing.src = `art/${name}.svg`
  await drawing.decode()
  const canvas = new OffscreenCanvas(SIDE, SIDE)
  canvas.getContext('2d')?.drawImage(drawing, 0, 0, SIDE, SIDE)
  const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.92 })
  return new File([blob], `${name}.jpg`, { type: 'image/jpeg' })
}

/** @param {{ page: Page, add: (files: File[]) => void }} given */
export const Hello = ({ page, add }) => html`
  <div class="hello">
    <header>
      <${Brand} page=${page} />
    </header>
    <main class="hero" id="stage" tabindex="-1">
      <div>
        <h1>${t('hero')}</h1>
        <p class="sub">${t(wantedOf(page.store.state).product === 'faces' ? 'hero.faces' : 'hero.sub')}</p>
        <div class="act">
          <button class="btn primary big" type="button" onClick=${() => page.choose()}>${t('choose')}</button>
          <button class="btn bare big" type="button" onClick=${() => page.choose({ folder: true })}>${t('choose.folder')}</button>
          <span class="quiet only-wide">${t('paste')}</span>
        </div>
        <${Making} page=${page} />
        <div class="tries">
          <p>${t('try')}</p>
          <ul>${SAMPLES.map(
            (name) => html`<li><button class="thumb" type="button" aria-label=${t(`sample.${name}`)}
              onClick=${async () => add([await sample(name)])}><img src=${`art/${name}.svg`} alt="" /></button></li>`,
          )}</ul>
        </div>
      </div>
      <div class="show checker" aria-hidden="true">
        <img src="art/vase.svg" alt="" /><div class="cutside checker"><img src="art/vase.svg#cut" alt="" /></div>
        <svg class="seam" viewBox="0 0 100 100" preserveAspectRatio="none"><path d="M56 0L44 100" vector-effect="non-scaling-stroke" /></svg>
      </div>
    </main>
    <footer>
      <span>${icon('lock', 's')}${t(location.hostname === '127.0.0.1' ? 'local' : 'cloud')}</span>
      <span class="only-wide">${t('accepts')}</span>
    </footer>
  </div>`
