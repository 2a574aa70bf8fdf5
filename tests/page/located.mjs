// Prints, as JSON, where values of the JSON text on standard input are: those of the pointers given.
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const [page, ...pointers] = process.argv.slice(2)
const { spotsAt } = await import(pathToFileURL(`${page}/views/console/locate.js`))
const text = readFileSync(0, 'utf8')
console.log(JSON.stringify(spotsAt(text, pointers).map(({ line, from, to }) => [line, text.slice(from, to)])))
