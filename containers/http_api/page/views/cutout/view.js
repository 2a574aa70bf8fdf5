/** Cut-outs: their steps in words, and what their stage and inspector show. */

import { seconds, t } from '../../core/i18n.js'
import { later } from '../../parts/controls.js'
import { Compare } from './compare.js'
import { Inspector } from './inspector.js'
import { pointed } from './purposes.js'

/** @import { Item, Page, View } from '../../core/types' */

/** @param {Item} item @param {Page} page A photo without a subject that a model found may have one that is shown to it. */
const selectable = (item, page) =>
  pointed(page.store.state.models) && (item.phase === 'done' || item.trouble?.name === 'NoSubject')

/** @type {View} */
export default {
  icon: 'photo',
  steps: [
    { id: 'inspect', states: ['Inspect', 'Claim', 'FindFirstResult', 'FindRecord', 'ReleaseFirst'] },
    { id: 'stage', states: ['FindWeights', 'StageWeights'] },
    { id: 'mask', states: ['RemoveBackground'] },
    { id: 'refine', states: ['RefineEdges'] },
    { id: 'publish', states: ['PublishRecord', 'Record', 'Announce'] },
  ],
  modes: [
    {
      id: 'select',
      offered: selectable,
      Body: later(() => import('./select/stage.js'), 'Body'),
      Inspector: later(() => import('./select/choices.js'), 'Inspector'),
    },
    { id: 'compare', usual: true, Body: Compare },
    { id: 'result', Body: later(() => import('./cut-out.js'), 'CutOut') },
  ],
  done: ({ made }) => (made ? t('cut.done', { s: seconds(made.total) }) : t('cut.plain')),
  Inspector,
  finished: async (item, page) => [await (await import('./finish.js')).finished(item, page)],
}
