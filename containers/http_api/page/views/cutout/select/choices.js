/** Select's inspector: which candidate is meant, the subjects, and the cut-out of them. */

import { number, t } from '../../../core/i18n.js'
import { useBlob } from '../../../parts/controls.js'
import { icon } from '../../../parts/icon.js'
import { html } from '../../../vendor/htm-preact.js'
import { actsOf, answerTo, historyOf, nameOf } from './acts.js'
import { promptsOf } from './marks.js'
import { Clip } from './stage.js'

/** @import { Answer, Item, Page } from '../../../core/types' */

/** @param {{ item: Item, page: Page, answer: Answer, rank: number, onChoose: (rank: number) => void }} given */
function Choices({ item, page, answer, rank, onChoose }) {
  const { url } = useBlob(() => page.queue.photo(item.id), [item.id, item.shown])
  const { candidates, grid } = answer
  // The photo in pixels of the mask's height: a model may see it stretched.
  const { width, height } = item
  const tall = grid.photo.height
  const wide = width && height ? tall * width / height : grid.photo.width
  // The same part of the photo for all: a square around the largest.
  const { box } = candidates[candidates.length - 1]
  const longest = Math.max((box.x1 - box.x0) * wide, (box.y1 - box.y0) * tall)
  const side = Math.min(Math.max(wide, tall), 1.2 * longest)
  const left = wide * (box.x0 + box.x1) / 2 - side / 2
  const top = tall * (box.y0 + box.y1) / 2 - side / 2
  const place = (/** @type {number} */ share) => `${100 * share / side}%`
  const frame = { left: place(-left), top: place(-top), width: place(wide), height: place(tall) }
  return html`<section>
    <h2>${t('which')}</h2>
    <div class="cands" role="radiogroup" aria-label=${t('which')}>
      ${candidates.map((each, at) => html`<label class="cand">
        <input class="sr" type="radio" name="candidate" checked=${at === rank} aria-label=${nameOf(answer, at)}
          onChange=${() => onChoose(at)} />
        <span class="crop checker">
          <${Clip} id=${`candidate-${at}`} paths=${[each.path]} grid=${grid} />
          ${url && html`<img class="dim" src=${url} alt="" style=${frame} />
            <img src=${url} alt="" style=${{ ...frame, clipPath: `url(#candidate-${at})` }} />`}
          <kbd class="only-wide" aria-hidden="true">${at + 1}</kbd>
        </span>
        <span aria-hidden="true">${number(each.score, { style: 'percent' })}</span>
      </label>`)}
    </div>
  </section>`
}

/** @param {{ item: Item, page: Page }} given */
export function Inspector({ item, page }) {
  const acts = actsOf(item, page)
  const { now } = historyOf(item)
  const subject = now.subjects[now.at]
  const answer = answerTo(item, subject, false)
  const prompts = promptsOf(now)
  const several = now.subjects.length > 1

  async function cutOut() {
    const { model } = item.selection ?? {}
    const { refine } = item.options
    page.store.set({ mode: 'compare', zoom: 0 })
    page.queue.again(item.id, { ...(refine && { refine }), model, prompts })
  }

  return html`<aside class="inspector" aria-label=${t('select')}>
    ${answer && answer.candidates.length > 1 && html`<${Choices} item=${item} page=${page} answer=${answer}
      rank=${subject.choice?.rank ?? answer.best} onChoose=${acts.choose} />`}
    <section>
      <h2>${t('subjects')}</h2>
      <ul class="subjects">${now.subjects.map(({ id, points, box }, at) => {
        const kept = points.filter(({ label }) => label).length
        return html`<li key=${id}>
          <button type="button" class="subject" aria-pressed=${several ? String(at === now.at) : undefined}
            onClick=${() => acts.turnTo(at)}>
            <i></i><span>${t('subject.n', { i: at + 1 })}
            <small>${points.length ? t('points', { p: kept, m: points.length - kept }) : box ? t('box') : t('sel.title')}</small></span></button>
          <button class="ib" type="button" aria-label=${`${t('remove')}: ${t('subject.n', { i: at + 1 })}`} title=${t('remove')}
            disabled=${!several && !points.length && !box} onClick=${() => acts.removeSubject(at)}>${icon('trash')}</button></li>`
      })}</ul>
      <button class="addline" type="button" onClick=${acts.addSubject}>
        ${icon('plus', 's')}${t('subject.add')}</button>
    </section>
    <section class="only-wide"><ul class="tips" aria-hidden="true">
      <li>${t('help.shift')}<kbd>⇧</kbd></li><li>${t('help.drag')}<kbd>B</kbd></li></ul></section>
    <div class="end">
      <button class="btn primary" type="button" disabled=${!prompts.length || !item.selection?.model}
        onClick=${cutOut}>${t('cutout')}</button>
    </div>
  </aside>`
}
