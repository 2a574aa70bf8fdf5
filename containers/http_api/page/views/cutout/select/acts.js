/** What is known of an item's marks, and what can be done with them. */

import { t } from '../../../core/i18n.js'
import * as marking from './marks.js'
import { sessionOf } from './session.js'

/** @import { Answer, Box, Candidate, History, Item, Mark, Marks, Page, Subject } from '../../../core/types' */
/** @import { Place } from './hands.js' */

/** @type {Map<string, Candidate>} the latest candidate of each subject: shown until the next comes */
const latest = new Map()

/** @param {Item} item */
export const historyOf = ({ marks }) => marks ?? marking.FRESH

/** @param {Item} item @param {Subject} subject @param {boolean} [chosen] @returns {Answer | undefined} */
export function answerTo({ selecting }, subject, chosen) {
  return selecting?.answers[JSON.stringify(marking.promptOf(subject, chosen))]
}

/** @param {Item} item @param {Subject} subject @returns {Candidate | undefined} what is cut out; until it is known, what was */
export function shownOf(item, subject) {
  const key = `${item.id} ${subject.id}`
  if (!marking.promptOf(subject)) return undefined
  const exact = answerTo(item, subject)
  const first = answerTo(item, subject, false)
  const found = exact?.candidates[exact.best] ?? first?.candidates[subject.choice?.rank ?? first.best]
  if (found) latest.set(key, found)
  return found ?? latest.get(key)
}

/** @param {Item} item @param {Page} page @returns what is done with marks: each change is noted, asked about, and said */
export function actsOf(item, page) {
  const { queue, say } = page
  const session = sessionOf(item.id, page)
  const history = () => historyOf(page.store.item(item.id) ?? item)
  /** @param {History} next @param {string} [words] */
  const become = (next, words) => {
    if (next === history()) return
    queue.setMarks(item.id, next)
    if (words) say(words)
    session.sync()
  }
  /** @param {Marks} marks @param {string} [words] */
  const set = (marks, words) => become(marking.stepped(history(), marks), words)
  return {
    /** @param {Place} place @param {0 | 1} label */
    point: ({ x, y }, label) => set(marking.addPoint(history().now, x, y, label), t(label ? 'mark.keep' : 'mark.drop')),
    /** @param {Box} box */
    box: (box) => set(marking.setBox(history().now, box), t('box')),
    /** @param {Mark} mark */
    remove: (mark) => set(marking.removeMark(history().now, mark)),
    /** @param {Mark} mark @param {number} dx @param {number} dy */
    move: (mark, dx, dy) => set(marking.moveMark(history().now, mark, dx, dy)),
    removeLast: () => set(marking.removeLast(history().now)),
    /** @param {number} rank */
    choose(rank) {
      const { now } = history()
      const found = answerTo(page.store.item(item.id) ?? item, now.subjects[now.at], false)
      const each = found?.candidates[rank]
      if (!found || !each) return
      set(marking.choose(now, rank === found.best ? undefined : { rank, box: each.box }), nameOf(found, rank))
    },
    addSubject: () => set(marking.addSubject(history().now), t('subject.add')),
    /** @param {number} at */
    removeSubject: (at) => set(marking.removeSubject(history().now, at)),
    /** @param {number} at Which subject the next marks belong to: no step of its own. */
    turnTo: (at) => become({ ...history(), now: { ...history().now, at } }),
    undo: () => become(marking.undone(history()), t('undone')),
    redo: () => become(marking.redone(history())),
    /** Give up the answer that is awaited, and the marks that ask for it. */
    cancel() {
      let before = marking.undone(history())
      const known = page.store.item(item.id)?.selecting?.answers ?? {}
      const open = () => marking.questionsOf(before.now).some((each) => !known[each])
      while (before.past.length && open()) before = marking.undone(before)
      session.stop()
      become(before)
    },
    session,
  }
}

/** @param {Answer} answer @param {number} rank */
export const nameOf = ({ candidates }, rank) =>
  t('cand', { i: rank + 1, total: candidates.length, p: Math.round(100 * candidates[rank].score) })

/** @typedef {ReturnType<typeof actsOf>} Acts */
