/**
 * What the user marked, and every step back: plain values in, plain values out.
 * Coordinates are fractions of the photo.
 */

/** @import { Box, History, Mark, Marks, Point, Prompt, Subject } from '../../../core/types' */

const MOST_STEPS = 100
const MOST_POINTS = 16 // of a subject, and subjects of a photo: the API's limits
const MOST_SUBJECTS = 8

/** @type {History} */
export const FRESH = { past: [], now: { subjects: [{ id: 1, points: [] }], at: 0 }, future: [] }

/** @param {History} history @param {Marks} now @returns {History} */
export const stepped = (history, now) =>
  now === history.now ? history : { past: [...history.past, history.now].slice(-MOST_STEPS), now, future: [] }

/** @param {History} history @returns {History} */
export function undone({ past, now, future }) {
  const before = past.at(-1)
  return before ? { past: past.slice(0, -1), now: before, future: [now, ...future] } : { past, now, future }
}

/** @param {History} history @returns {History} */
export function redone({ past, now, future }) {
  const [after, ...rest] = future
  return after ? { past: [...past, now], now: after, future: rest } : { past, now, future }
}

/** @param {number} value @returns {number} inside the photo, without needless digits */
const inside = (value) => Math.round(Math.min(1, Math.max(0, value)) * 1e5) / 1e5

/** @param {Marks} marks @param {number} at @param {Partial<Subject>} change @returns {Marks} */
function changed(marks, at, change) {
  const subjects = marks.subjects.map((each, index) => (index === at ? { ...each, ...change } : each))
  return { subjects, at }
}

/**
 * The box of a choice goes on holding while more points are set: the model chose without it.
 * A point to keep outside it says that it does not hold.
 * @param {Subject} subject @param {Point[]} points @returns {Box | undefined}
 */
function boxFor({ box, choice }, points) {
  if (!choice) return box
  const { x0, y0, x1, y1 } = choice.box
  const holds = points.every(({ x, y, label }) => !label || (x >= x0 && x <= x1 && y >= y0 && y <= y1))
  return holds ? choice.box : box
}

/** @param {Marks} marks @param {number} at @param {Point[]} points */
const withPoints = (marks, at, points) =>
  changed(marks, at, { points, box: boxFor(marks.subjects[at], points), choice: undefined })

/** @param {Marks} marks @param {number} x @param {number} y @param {0 | 1} label @returns {Marks} */
export function addPoint(marks, x, y, label) {
  const { points } = marks.subjects[marks.at]
  if (points.length >= MOST_POINTS) return marks
  return withPoints(marks, marks.at, [...points, { x: inside(x), y: inside(y), label }])
}

/** @param {Marks} marks @param {Box} box any two corners @returns {Marks} of the current subject */
export function setBox(marks, { x0, y0, x1, y1 }) {
  const box = {
    x0: inside(Math.min(x0, x1)), y0: inside(Math.min(y0, y1)),
    x1: inside(Math.max(x0, x1)), y1: inside(Math.max(y0, y1)),
  }
  if (box.x0 >= box.x1 || box.y0 >= box.y1) return marks
  return changed(marks, marks.at, { box, choice: undefined })
}

/** @param {Marks} marks @param {Mark} mark @returns {Marks} */
export function removeMark(marks, { subject, point }) {
  if (point === undefined) return changed(marks, subject, { box: undefined, choice: undefined })
  return withPoints(marks, subject, marks.subjects[subject].points.filter((_, index) => index !== point))
}

/** @param {Marks} marks @param {Mark} mark @param {number} dx @param {number} dy @returns {Marks} */
export function moveMark(marks, { subject, point }, dx, dy) {
  const { points, box } = marks.subjects[subject]
  if (point !== undefined) {
    return withPoints(marks, subject, points.map((each, index) =>
      index === point ? { ...each, x: inside(each.x + dx), y: inside(each.y + dy) } : each))
  }
  if (!box) return marks
  const moved = { x0: box.x0 + dx, y0: box.y0 + dy, x1: box.x1 + dx, y1: box.y1 + dy }
  return setBox({ ...marks, at: subject }, moved)
}

/** @param {Marks} marks @returns {Marks} without the current subject's last point, else its box */
export function removeLast(marks) {
  const { points, box } = marks.subjects[marks.at]
  if (points.length) return removeMark(marks, { subject: marks.at, point: points.length - 1 })
  return box ? removeMark(marks, { subject: marks.at }) : marks
}

/** @param {Marks} marks @param {Subject['choice']} choice none is the model's own @returns {Marks} */
export const choose = (marks, choice) =>
  marks.subjects[marks.at].choice?.rank === choice?.rank ? marks : changed(marks, marks.at, { choice })

/** @param {Subject} subject */
const isEmpty = ({ points, box }) => !points.length && !box

/** @param {Marks} marks @returns {Marks} An empty subject is used before another is added. */
export function addSubject({ subjects, at }) {
  const empty = subjects.findIndex(isEmpty)
  if (empty >= 0) return empty === at ? { subjects, at } : { subjects, at: empty }
  if (subjects.length >= MOST_SUBJECTS) return { subjects, at }
  const id = Math.max(...subjects.map((each) => each.id)) + 1
  return { subjects: [...subjects, { id, points: [] }], at: subjects.length }
}

/** @param {Marks} marks @param {number} at @returns {Marks} */
export function removeSubject({ subjects, at: current }, at) {
  const left = subjects.filter((_, index) => index !== at)
  if (!left.length) return { subjects: [{ id: subjects[at].id + 1, points: [] }], at: 0 }
  return { subjects: left, at: Math.min(current > at ? current - 1 : current, left.length - 1) }
}

/** @param {Subject} subject @param {boolean} [chosen] with the box of the choice @returns {Prompt | null} */
export function promptOf({ points, box, choice }, chosen = true) {
  const around = (chosen && choice?.box) || box
  if (!around && !points.some(({ label }) => label)) return null
  return { points, ...(around && { box: around }) }
}

/** @param {Marks} marks @returns {Prompt[]} what a job is asked to cut out */
export const promptsOf = ({ subjects }) =>
  subjects.map((each) => promptOf(each)).filter((each) => each !== null)

/** @param {Marks} marks @returns {string[]} the questions whose answers are shown, as JSON */
export const questionsOf = ({ subjects }) =>
  [...new Set(subjects.flatMap((each) => [promptOf(each, false), promptOf(each)])
    .filter(Boolean).map((each) => JSON.stringify(each)))]
