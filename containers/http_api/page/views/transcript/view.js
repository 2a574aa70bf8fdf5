/** Transcripts: their steps in words, and what their stage and inspector show. */

import { languageName, span, t } from '../../core/i18n.js'
import { later } from '../../parts/controls.js'

/** @import { View } from '../../core/types' */

/** @type {View} */
export default {
  icon: 'sound',
  steps: [
    { id: 'inspect', states: ['Inspect', 'HandOver', 'Claim', 'FindFirstResult', 'FindRecord', 'ReleaseFirst'] },
    { id: 'stage', states: ['FindWeights', 'StageWeights'] },
    { id: 'sound', states: ['ReadAudio'] },
    { id: 'denoise', states: ['Denoise'], when: ({ options }) => Boolean(options.denoise) },
    // At the same time: speakers and sounds are found while the words are transcribed.
    { id: 'write', states: ['DiarizeParts', 'Diarize', 'TagAudio', 'TranscribeWindows', 'Transcribe', 'AlignWindows', 'AlignWords'] },
    { id: 'publish', states: ['WriteTranscript', 'CopyFile', 'PublishRecord', 'Record', 'Announce'] },
  ],
  modes: [{ id: 'text', Body: later(() => import('./reader.js'), 'Reader') }],
  done({ made }) {
    const language = made?.languages?.map(languageName).join(', ') || t('silent')
    return made ? `${language} · ${span(made.duration ?? 0)}` : t('written')
  },
  Inspector: later(() => import('./inspector.js'), 'Inspector'),
  finished: async (item, page) => (await import('./files.js')).allOf(item, page),
}
