/** Find the lines of a JSON text that something is said about. Pure. */

/** @typedef {{ line: number, from: number, to: number }} Spot `line` counts from 1; the others are places in the text */

/** @param {string} text @param {number} at @returns {number} */
export const lineAt = (text, at) => text.slice(0, at).split('\n').length

/** @param {string} text @returns {{ value?: any, wrong?: string, spot: Spot }} what it means, or why and where it is no JSON */
export function read(text) {
  try {
    return { value: JSON.parse(text), spot: { line: 1, from: 0, to: text.length } }
  } catch (error) {
    const { message } = /** @type {Error} */ (error)
    const [, place] = /position (\d+)/.exec(message) ?? []
    const [, row, column] = /line (\d+) column (\d+)/.exec(message) ?? []
    const lines = text.split('\n')
    const from = place ? Number(place) : row ? lines.slice(0, Number(row) - 1).join('\n').length + Number(column) : text.length
    return { wrong: message.replace(/^JSON\.parse: |,? ?(in JSON )?at position.*$/g, ''), spot: { line: lineAt(text, from), from, to: Math.min(text.length, from + 1) } }
  }
}

/** @param {string} text that is JSON @returns {Map<string, [from: number, to: number]>} where each value is, by its JSON pointer */
function spotsOf(text) {
  /** @type {Map<string, [number, number]>} */
  const spots = new Map()
  let at = 0
  const space = () => {
    while (/\s/.test(text[at] ?? '')) at += 1
  }
  const word = () => {
    const from = at
    at += 1
    while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
    at += 1
    return JSON.parse(text.slice(from, at))
  }
  const value = (/** @type {string} */ pointer) => {
    space()
    const from = at
    const first = text[at]
    if (first === '{' || first === '[') {
      const last = first === '{' ? '}' : ']'
      at += 1
      for (let n = 0; ; n += 1) {
        space()
        if (text[at] === ',') {
          at += 1
          space()
        }
        if (text[at] === last) break
        let name = `${n}`
        if (first === '{') {
          name = word()
          space()
          at += 1 // the colon
        }
        value(`${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`)
      }
      at += 1
    } else if (first === '"') word()
    else while (/[^\s,\]}]/.test(text[at] ?? ' ')) at += 1
    spots.set(pointer, [from, at])
  }
  value('')
  return spots
}

/**
 * @param {string} text that is JSON, and may be long
 * @param {string[]} pointers
 * @returns {Spot[]} of each value, or of what it should be in
 */
export function spotsAt(text, pointers) {
  const spots = pointers.length ? spotsOf(text) : new Map()
  return pointers.map((pointer) => {
    let each = pointer
    while (each && !spots.has(each)) each = each.slice(0, each.lastIndexOf('/'))
    const [from, to] = spots.get(each) ?? [0, 0]
    return { line: lineAt(text, from), from, to }
  })
}
