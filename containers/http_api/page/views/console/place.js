/** Where in the console the user is: the address behind `#/console`. */

/** @import { Place } from './types' */

const ROOT = '#/console'

/** @param {string} hash @returns {Place} */
export function placeOf(hash) {
  const [path, query = ''] = hash.slice(ROOT.length).split('?')
  const [view = 'machines', ...names] = path.split('/').filter(Boolean).map(decoded)
  return { view, names, query: new URLSearchParams(query) }
}

/** @param {string} part @returns {string} */
function decoded(part) {
  try {
    return decodeURIComponent(part)
  } catch {
    return part // typed by hand, and no valid escape
  }
}

/** @param {string[]} path @returns {string} an address for links */
export const to = (...path) => [ROOT, ...path.map(encodeURIComponent)].join('/')

/** @param {Record<string, string | undefined>} fields @returns {string} `?a=b`, without empty fields */
export function queried(fields) {
  const given = Object.entries(fields).filter(([, value]) => value)
  return given.length ? `?${new URLSearchParams(/** @type {[string, string][]} */ (given))}` : ''
}

/** @param {string} machine @param {string} name @returns {string} the path of an execution in the API */
export const executionPath = (machine, name) => `/console/executions/${encodeURIComponent(machine)}/${encodeURIComponent(name)}`
