/** Faces: their steps in words, and what their stage and inspector show. */

import { t } from '../../core/i18n.js'
import { later } from '../../parts/controls.js'

/** @import { Item, View } from '../../core/types' */

/** @param {Item} item */
const hidden = ({ results }) => Boolean(results?.some(({ kind }) => kind === 'redacted'))

const Body = later(() => import('./stage.js'), 'Faces')

/** @type {View} */
export default {
  icon: 'face',
  steps: [
    { id: 'inspect', states: ['Inspect', 'HandOver', 'Claim', 'FindFirstResult', 'FindRecord', 'ReleaseFirst'] },
    { id: 'stage', states: ['FindWeights', 'StageWeights'] },
    { id: 'faces', states: ['AnalyzeFaces', 'EmbedFaces'] },
    { id: 'publish', states: ['CopyFile', 'PublishRecord', 'Record', 'Announce'] },
  ],
  modes: [
    { id: 'faces', Body },
    {
      id: 'search',
      offered: ({ phase, made }, { store }) => phase === 'done' && made?.faces !== 0 && Boolean(store.state.collections?.length),
      Body,
      Inspector: later(() => import('./find/inspector.js'), 'Inspector'),
    },
    {
      id: 'compare',
      offered: (item) => item.phase === 'done' && hidden(item),
      Body: later(() => import('./hidden.js'), 'Hidden'),
    },
  ],
  done(item) {
    const n = item.made?.faces
    if (n === undefined) return t('faces.done')
    return n ? t(hidden(item) ? 'faces.hidden' : 'faces.n', { n }) : t('faces.zero')
  },
  Inspector: later(() => import('./inspector.js'), 'Inspector'),
  finished: async (item, page) => (await import('./files.js')).allOf(item, page),
}
