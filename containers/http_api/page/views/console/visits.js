/** What the history of an execution says of each state of its machine. Pure, but for words. */

import { number } from '../../core/i18n.js'
import { lasted, lengthOf } from './words.js'

/** @import { Visit } from './types' */

/** @typedef {{ status: Visit['status'], text: string, visits: Visit[] }} Seen */

const WORST = /** @type {const} */ (['failed', 'running', 'aborted', 'caught', 'succeeded']) // the first one is shown for all

/** @param {Visit[]} visits @returns {Map<string, Seen>} by the state's name */
export function seenOf(visits) {
  /** @type {Map<string, Visit[]>} */
  const named = new Map()
  for (const visit of visits) named.set(visit.name, [...(named.get(visit.name) ?? []), visit])
  return new Map([...named].map(([name, all]) => [name, { status: worst(all), text: text(all), visits: all }]))
}

/** @param {Visit[]} all @returns {Visit['status']} */
const worst = (all) => WORST.find((status) => all.some((each) => each.status === status)) ?? 'succeeded'

/** @param {Visit[]} all @returns {string} how long, how often */
function text(all) {
  const attempts = Math.max(...all.map((each) => each.attempts))
  const times = all.length > 1 ? `×${number(all.length)}` : ''
  const length = lasted(all.reduce((sum, each) => Math.max(sum, lengthOf(each)), 0))
  return [length, times, attempts > 1 ? `↻${number(attempts)}` : ''].filter(Boolean).join(' · ')
}

/** @param {Visit[]} visits @returns {Set<string>} the transitions that were taken, as `from to` */
export function takenOf(visits) {
  const taken = new Set()
  /** @type {Map<string, Visit>} */
  const last = new Map()
  for (const visit of visits.toSorted((a, b) => Date.parse(a.entered_at) - Date.parse(b.entered_at))) {
    const before = last.get(visit.path)
    if (before) taken.add(`${before.name} ${visit.name}`)
    else taken.add(`start of ${visit.name} ${visit.name}`)
    last.set(visit.path, visit)
  }
  return taken
}

/** @param {Visit[]} visits @returns {Visit | undefined} the one that a reader looks for first */
export const firstToSee = (visits) =>
  visits.findLast(({ status }) => status === 'failed') ?? visits.findLast(({ status }) => status === 'running') ?? visits.at(-1)
