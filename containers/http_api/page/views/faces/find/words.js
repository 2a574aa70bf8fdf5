/** What a similarity means, in words. */

import { number, t } from '../../../core/i18n.js'

/** @import { Finding, Match } from '../../../core/types' */

const VERY = 0.6 // of the way from the collection's limit to 1
const QUITE = 0.25

/** @param {number} similarity @returns {number} never more than it is */
export const hundredths = (similarity) => Math.floor(similarity * 100 + 1e-6) / 100

/** @param {number} similarity @returns {string} */
export const figure = (similarity) => number(hundredths(similarity), { minimumFractionDigits: 2, maximumFractionDigits: 2 })

/** @param {number} similarity @param {number} threshold the collection's limit @returns {string} */
export function likeness(similarity, threshold) {
  const share = (similarity - threshold) / (1 - threshold || 1)
  return t(share >= VERY ? 'similar.very' : share >= QUITE ? 'similar.quite' : 'similar.just')
}

/** @param {Finding | undefined} finding @param {number} place of a face @returns {Match[] | undefined} none, if it was not compared */
export function matchesOf(finding, place) {
  return finding?.answer?.queries.find(({ face }) => face === place)?.matches
}

/** @param {Match[]} matches @param {Finding} finding @returns {Match[]} those that are shown: never one below the collection's limit */
export const shownOf = (matches, { answer, least = 0 }) =>
  matches.filter(({ similarity }) => similarity >= Math.max(least, answer?.threshold ?? 0))

/** @param {string | null} person */
export const personName = (person) => person ?? t('person.none')
