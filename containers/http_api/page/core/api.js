/** Ask the HTTP API. What goes wrong is a `Problem` (it said why) or `Away` (it did not answer). */

/** @import { Trouble } from './types' */

const BUSY = ['modelbusy', 'collectionbusy', 'indexbusy'] // one function's: the others answer

/** A refusal in the API's own words (RFC 9457). */
export class Problem extends Error {
  /** @param {number} status @param {Record<string, any>} body @param {number} wait seconds */
  constructor(status, body, wait = 0) {
    super(body.title)
    this.status = status
    this.wait = wait
    /** @type {{ detail: string, field?: string }[]} */
    this.errors = body.errors ?? []
    const fields = this.errors.map((each) => each.detail)
    /** @type {Trouble} */
    this.trouble = {
      name: (String(body.type ?? '').split('#')[1] ?? '').toLowerCase(),
      title: body.title ?? '',
      detail: fields.join(' ') || (body.detail ?? ''),
      hint: body.hint ?? '',
      id: body.request_id,
    }
  }
}

/** The API did not answer, or what stands before it said that it cannot. */
export class Away extends Error {}

/** @type {{ header: () => Promise<string>, refused: (used: string) => Promise<void> } | undefined} */
let signIn

/** @param {NonNullable<typeof signIn>} given says who asks, where the service wants to know */
export const askAs = (given) => (signIn = given)

/**
 * @param {string} method
 * @param {string} path
 * @param {{ body?: unknown, key?: string, wait?: number, signal?: AbortSignal, match?: string, tagged?: (etag: string) => void }} [more]
 *   `key` makes a repeated request harmless; `wait` is how many seconds the answer may take; `match` is the
 *   version that the request changes; `tagged` is told which version the answer is.
 * @returns {Promise<any>}
 */
export async function ask(method, path, { body, key, wait, signal, match, tagged } = {}) {
  /** @type {Record<string, string>} */
  const headers = {}
  if (body) headers['content-type'] = 'application/json'
  if (key) headers['idempotency-key'] = key
  if (wait) headers.prefer = `wait=${wait}`
  if (match) headers['if-match'] = match
  let answer, read
  let refused = false
  try {
    const used = await signIn?.header()
    if (used) headers.authorization = used
    answer = await fetch(`api${path}`, { method, headers, signal, body: JSON.stringify(body) })
    read = await answer.json()
    // What stands before the API refused: its own refusals have a type.
    if (signIn && used && [401, 403].includes(answer.status) && !read.type) {
      await signIn.refused(used)
      refused = true
    }
  } catch (error) {
    if (signal?.aborted) throw error
    throw new Away()
  }
  if (refused) return ask(method, path, { body, key, wait, signal, match, tagged })
  if (answer.ok) {
    tagged?.(answer.headers.get('etag') ?? '')
    return read
  }
  const problem = new Problem(answer.status, read, Number(answer.headers.get('retry-after')))
  if ([502, 503, 504].includes(answer.status) && !BUSY.includes(problem.trouble.name)) throw new Away()
  throw problem
}
