/** What sounds in a recording, and when, as the service names it. */

import { resultOf } from '../../core/results.js'

/** @import { Item } from '../../core/types' */
/** @import { Store } from '../../core/store.js' */

/**
 * Times are seconds, in order; `score` is the greatest probability of the label at any time.
 * @typedef {{ label: string, score: number, spans: [number, number][] }} Sound
 * The mean probabilities of speech and music.
 * @typedef {{ start: number, end: number, speech: number, music: number }} Step
 * @typedef {{ labels: Sound[], steps: Step[] }} Sounds the labels best first
 */

const number = (/** @type {unknown} */ given) => Number(given) || 0

/** @param {Store} store @param {Item} item @returns {Promise<Sounds>} */
export async function soundsOf(store, item) {
  const { predictions = [], spans = [], timeline = [] } = JSON.parse(await (await resultOf(store, item, 'tags')).text())
  /** @type {Map<string, Sound>} */
  const found = new Map()
  for (const { label, score } of predictions) found.set(`${label}`, { label: `${label}`, score: number(score), spans: [] })
  for (const { label, start, end } of spans) found.get(`${label}`)?.spans.push([number(start), number(end)])
  const steps = timeline.map((/** @type {any} */ each) => ({
    start: number(each.start), end: number(each.end), speech: number(each.speech), music: number(each.music),
  }))
  return { labels: [...found.values()], steps }
}
