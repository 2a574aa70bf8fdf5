/** The faces of a photo, as the service's JSON has them. */

import { Problem } from '../../core/api.js'
import { resultOf } from '../../core/results.js'
import { useEffect, useState } from '../../vendor/htm-preact.js'

/** @import { Item, Page } from '../../core/types' */

/**
 * Pixels of the upright photo; the box may reach outside it. Probabilities are 0 to 1; expressions begin with the
 * most probable one. What was not asked for is not there.
 * @typedef {{ x: number, y: number, width: number, height: number, score: number, points: [number, number][],
 *   age?: number, gender?: { name: string, score: number }, expressions: [string, number][] }} Face
 * @typedef {{ width: number, height: number, faces: Face[] }} Found
 */

/** @param {unknown} value @returns {number} */
function number(value) {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new TypeError()
  return value
}

/** @param {any} face @returns {Face} */
function read({ detection: { box, score }, landmarks, expressions, ageAndGender: guess }) {
  const [x, y, width, height] = [box.x, box.y, box.width, box.height].map(number)
  return {
    x, y, width, height,
    score: number(score),
    points: landmarks.map((/** @type {unknown[]} */ point) => [number(point[0]), number(point[1])]),
    ...(guess && { age: number(guess.age), gender: { name: `${guess.gender}`, score: number(guess.genderProbability) } }),
    expressions: Object.entries(expressions ?? {}).map(([name, share]) => [name, number(share)]).sort(([, a], [, b]) => Number(b) - Number(a)),
  }
}

/** @param {string} json @returns {Found} Raises Problem if it has no faces in it. */
function readable(json) {
  try {
    const { width, height, faces } = JSON.parse(json)
    return { width: number(width), height: number(height), faces: faces.map(read) }
  } catch {
    throw new Problem(422, { type: '#UnreadableFaces' })
  }
}

/**
 * @param {Item} item @param {Page} page
 * @returns {{ found?: Found, error?: unknown, again: () => void }} `again` asks for them once more
 */
export function useFaces(item, page) {
  const address = item.results?.find(({ kind }) => kind === 'faces')?.url.split('?')[0]
  const wanted = `${item.id} ${address} ${item.made?.total}`
  const [got, setGot] = useState(/** @type {{ of?: string, found?: Found, error?: unknown }} */ ({}))
  const mine = got.of === wanted ? got : {}
  const away = Boolean(page.store.state.away)
  const waits = away || mine.found || mine.error
  useEffect(() => {
    if (waits) return
    let gone = false
    resultOf(page.store, item, 'faces').then((blob) => blob.text()).then(readable).then(
      (found) => gone || setGot({ of: wanted, found }),
      (error) => {
        if (!gone) setGot({ of: wanted, error })
        if (!(error instanceof Problem)) page.queue.probe() // the bar says so if the service does not answer either
      },
    )
    return () => {
      gone = true
    }
  }, [wanted, waits])
  const again = () => setGot({})
  useEffect(() => {
    if (!away && mine.error && !(mine.error instanceof Problem)) again()
  }, [away])
  return { ...mine, again }
}
