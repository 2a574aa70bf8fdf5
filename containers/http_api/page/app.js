/** Start the page: settings, words, what was here before; then draw whenever the state changes. */

import { ask, askAs } from './core/api.js'
import { transferred } from './core/files.js'
import { speak, t } from './core/i18n.js'
import { makeQueue } from './core/queue.js'
import { applyTheme, keepSettings, keptSettings, wantedOf } from './core/settings.js'
import { makeStore } from './core/store.js'
import { AwayBar } from './parts/away.js'
import { later } from './parts/controls.js'
import { Hello } from './parts/hello.js'
import { icon } from './parts/icon.js'
import { Inspector } from './parts/inspector.js'
import { Queue, summary } from './parts/queue.js'
import { SettingsPopover } from './parts/settings.js'
import { Stage } from './parts/stage.js'
import { titleOf } from './parts/trouble.js'
import { modeOf, viewOf } from './views/index.js'
import { html, render } from './vendor/htm-preact.js'

/** @import { Item, Page, Settings, Wanted } from './core/types' */

const SAID_EVERY_MS = 3000

const store = makeStore({
  items: [], current: null, home: true, mode: 'compare', zoom: 0, away: null, limited: null, notice: '',
  models: [], settings: keptSettings(), said: '', dragging: 0,
})
const queue = makeQueue(store)

/** @param {string} text */
function say(text) {
  store.set({ said: '' }) // the same words twice are said twice
  requestAnimationFrame(() => store.set({ said: text }))
}

/** @param {File[]} files @param {Wanted} [wanted] what photos become */
function add(files, wanted = wantedOf(store.state)) {
  if (!files.length) return store.set({ notice: t('folder.empty') })
  store.set({ notice: '' })
  queue.add(files, wanted)
  say(t('added', { n: files.length }))
}

/** @type {Page['choose']} */
function choose({ folder = false, give, instead } = {}) {
  const input = document.createElement('input')
  input.type = 'file'
  input.multiple = !give && !instead
  input.webkitdirectory = folder
  if (!folder) input.accept = 'image/*,audio/*,video/*,.heic,.heif,.avif,.tif,.tiff,.mkv,.opus,.wma'
  input.onchange = () => {
    const files = [...(input.files ?? [])].filter((each) => !each.name.startsWith('.'))
    if (give && files.length) return queue.give(give, files[0])
    const { product, options = {} } = store.item(instead ?? null) ?? {}
    if (instead && files.length) queue.remove(instead)
    add(files, product === 'faces' ? { product, options } : undefined)
  }
  document.body.append((input.hidden = true, input)) // tests and some browsers need it in the page
  input.addEventListener('change', () => input.remove())
  input.addEventListener('cancel', () => input.remove())
  input.click()
}

/** @param {Partial<Settings>} chosen */
async function change(chosen) {
  if (chosen.language !== undefined) await speak(chosen.language)
  const settings = { ...store.state.settings, ...chosen }
  keepSettings(settings)
  applyTheme(settings)
  store.set({ settings })
}

/** @type {Page} */
const page = { store, queue, choose, say, change }

/** Moves a screen reader past the list. A link would make the browser load the page again. */
const skip = () => document.getElementById('stage')?.focus()

const Console = later(() => import('./views/console/view.js'), 'Console')
const inConsole = () => location.hash.startsWith('#/console')

function App() {
  const { items, home, dragging, said } = store.state
  const open = store.item(store.state.current)
  const bare = open && !['waiting', 'uploading', 'running'].includes(open.phase) && !modeOf(open, page)
  return html`
    ${items.length > 0 && html`<button class="skip btn primary" type="button" onClick=${skip}>${t('skip')}</button>`}
    <${AwayBar} page=${page} />
    ${inConsole()
      ? html`<${Console} page=${page} />`
      : items.length
      ? html`<div class=${`app ${home ? 'home' : ''} ${bare ? 'bare' : ''}`}>
          <${Queue} page=${page} /><${Stage} page=${page} /><${Inspector} page=${page} />
        </div>`
      : html`<${Hello} page=${page} add=${add} />`}
    <${SettingsPopover} page=${page} />
    ${dragging > 0 &&
    html`<div class="dropping"><div>${icon('drop')}${t('drop.now', { n: dragging })}<p>${t(wantedOf(store.state).product === 'faces' ? 'drop.faces' : 'accepts')}</p></div></div>`}
    <p class="sr" role="status">${said}</p>`
}

const root = /** @type {HTMLElement} */ (document.getElementById('app'))
let drawing = false
function draw() {
  if (drawing) return
  drawing = true
  requestAnimationFrame(() => {
    drawing = false
    const open = store.item(store.state.current)
    if (!inConsole()) document.title = `${open?.name ?? t('hero')} · Matteline`
    render(html`<${App} />`, root)
  })
}

/** Says what ended, and sums up at most every three seconds. */
function narrate() {
  /** @type {Map<string, string>} */
  let phases = new Map()
  let timer = 0
  store.subscribe(() => {
    const { items } = store.state
    const ended = items.filter((each) => phases.has(each.id) && phases.get(each.id) !== each.phase && ['done', 'refused'].includes(each.phase))
    phases = new Map(items.map((each) => [each.id, each.phase]))
    if (!ended.length || timer) return
    const [first] = ended
    say(`${first.name}: ${first.phase === 'done' ? viewOf(first).done(first) : titleOf(first.trouble)}`)
    timer = window.setTimeout(() => {
      timer = 0
      if (items.length > 1) say(summary(store.state.items))
    }, SAID_EVERY_MS)
  })
}

function listen() {
  let depth = 0
  const over = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes('Files')
  document.addEventListener('dragenter', (event) => {
    if (!over(event)) return
    depth += 1
    store.set({ dragging: event.dataTransfer?.items.length || 1 })
  })
  document.addEventListener('dragover', (event) => {
    if (over(event)) event.preventDefault()
  })
  document.addEventListener('dragleave', (event) => {
    if (over(event) && --depth === 0) store.set({ dragging: 0 })
  })
  document.addEventListener('drop', async (event) => {
    if (!over(event) || !event.dataTransfer) return
    event.preventDefault()
    depth = 0
    store.set({ dragging: 0 })
    add(await transferred(event.dataTransfer))
  })
  document.addEventListener('paste', async (event) => {
    if (event.clipboardData?.files.length) add(await transferred(event.clipboardData))
  })
  window.addEventListener('online', () => queue.probe())
  window.addEventListener('hashchange', draw)
}

applyTheme(store.state.settings)
await speak(store.state.settings.language)
/** @type {{ sign_in?: import('./core/types').SignIn }} */
const { sign_in: asked } = await fetch('config.json').then((answer) => answer.json()).catch(() => ({}))
if (asked) {
  const signIn = await (await import('./core/signin.js')).makeSignIn(asked)
  page.signOut = signIn.out
  askAs(signIn)
}
store.subscribe(draw)
narrate()
listen()
await queue.resume()
try {
  store.set({ models: (await ask('GET', '/models')).models })
  ask('GET', '/console/executions?machine=cutout&limit=1').then(({ items }) => store.set({ operator: Boolean(items) }), () => {})
} catch {
  queue.probe() // the bar says so
}
