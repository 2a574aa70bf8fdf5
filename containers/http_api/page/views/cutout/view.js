/** Cut-outs: their steps in words, and what their stage and inspector show. */

import { seconds, t } from '../../core/i18n.js'
import { Compare } from './compare.js'
import { CutOut } from './cut-out.js'
import { finished } from './finished.js'
import { Inspector } from './inspector.js'

/** @import { View } from '../../core/types' */

/** @type {View} */
export default {
  steps: [
    { id: 'inspect', states: ['Inspect', 'Claim', 'FindFirstResult', 'FindRecord', 'ReleaseFirst'] },
    { id: 'stage', states: ['FindWeights', 'StageWeights'] },
    { id: 'mask', states: ['RemoveBackground'] },
    { id: 'refine', states: ['RefineEdges'] },
    { id: 'publish', states: ['PublishRecord', 'Record', 'Announce'] },
  ],
  modes: [
    { id: 'compare', label: 'compare', Body: Compare },
    { id: 'result', label: 'result', Body: CutOut },
  ],
  done: ({ made }) => (made ? t('cut.done', { s: seconds(made.total) }) : t('cut.plain')),
  Inspector,
  finished,
}
