// Draws every machine of the folder that is given, as the console does, and prints it as JSON.
import { readFileSync, readdirSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const [page, machines] = process.argv.slice(2)
const graph = (name) => import(pathToFileURL(`${page}/views/console/graph/${name}.js`))
const { readScope } = await graph('asl')
const { layout } = await graph('layout')
const { walk } = await graph('walk')

// From the state with the key Home: each state that keys reach, and what each key does there.
const KEYS = ['ArrowDown', 'ArrowUp', 'ArrowLeft', 'ArrowRight', 'Home', 'End']
function moves(drawing, start) {
  const seen = new Map()
  for (const places = [{ id: start }]; places.length; ) {
    const { id, from } = places.pop()
    const key = JSON.stringify([id, from])
    if (seen.has(key)) continue
    const next = Object.fromEntries(KEYS.map((each) => [each, walk(drawing, id, each, from)]))
    seen.set(key, { id, next })
    places.push(...Object.values(next).filter(Boolean))
  }
  return [...seen.values()]
}
const drawn = {}
for (const name of readdirSync(machines).filter((each) => each.endsWith('.asl.json'))) {
  const scope = readScope(JSON.parse(readFileSync(`${machines}/${name}`, 'utf8')))
  const drawing = layout(scope)
  drawn[name.replace('.asl.json', '')] = { drawing, moves: moves(drawing, scope.start), again: layout(scope) }
}
console.log(JSON.stringify(drawn))
