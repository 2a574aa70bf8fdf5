/** The shapes that modules hand to each other. For the type checker alone: it is not served. */

/** waiting: for its turn. lost: its upload stopped and its bytes are gone. skipped: never sent. */
export type Phase =
  | 'waiting' | 'uploading' | 'lost' | 'running' | 'done' | 'refused' | 'cancelled' | 'deleted' | 'skipped'

/**
 * Why something did not work, in words for people. `title` is empty if `name` says it. `again`: the
 * same may work if it is tried again.
 */
export interface Trouble {
  name: string
  title: string
  detail: string
  hint: string
  id?: string
  again?: boolean
}

export interface ResultFile {
  name: string
  url: string
  expires_at: string
  kind?: string
  media_type?: string
  bytes?: number
  width?: number
  height?: number
}

/** A job, as `GET /jobs/{id}` answers. */
export interface Job {
  id: string
  state: 'waiting' | 'expired' | 'running' | 'done' | 'duplicate' | 'quarantined' | 'failed' | 'deleted'
  product?: string
  key?: string
  job?: string
  execution?: string
  tasks?: { task: string; ms?: number }[]
  results?: ResultFile[]
  record?: ResultFile
  error?: { name: string; message: string; hint: string }
}

/** How a result is shown and downloaded. `margin` is in percent, `size` in pixels (0: its own). */
export interface Look {
  background: string
  trim: boolean
  margin: number
  size: number
  format: 'png' | 'jpeg' | 'webp'
}

/** What the output record says, as far as the page shows it; times in ms. */
export interface Made {
  model: string
  refine: string
  total: number
  tasks: Record<string, number>
}

/** One file that the user gave. */
export interface Item {
  id: string
  name: string
  bytes: number
  type: string
  group: number
  place: number
  phase: Phase
  sent: number
  tries: number
  options: Record<string, string>
  upload?: string
  key?: string
  job?: string
  product?: string
  tasks?: { task: string; ms?: number }[]
  results?: ResultFile[]
  record?: ResultFile
  made?: Made
  look?: Look
  trouble?: Trouble
  width?: number
  height?: number
  thumb?: string
  cut?: string
}

/** How users of a deployment sign in, as `config.json` says. The addresses and names are an issuer's. */
export interface SignIn {
  kind: 'key' | 'tokens'
  issuer: string
  client_id: string
  scope: string
  redirect: string
  authorize: string
  token: string
  revoke?: string
  end?: string
}

/** What the parts of the page are given. */
export interface Page {
  store: import('./store.js').Store
  queue: import('./queue.js').Queue
  choose: (more?: { folder?: boolean; give?: string; instead?: string }) => void
  say: (text: string) => void
  signOut?: () => void
}

/** One product's view. `steps` are its tasks in words, each with the states that belong to it. */
export interface View {
  steps: { id: string; states: string[] }[]
  modes: { id: string; label: string; Body: (given: { item: Item; page: Page }) => unknown }[]
  done: (item: Item) => string
  Inspector: (given: { item: Item; page: Page }) => unknown
  /** The file that is downloaded, as the user wants it. */
  finished: (item: Item, page: Page) => Promise<File>
}

export interface Model {
  name: string
  summary: string
  available: boolean
  takes_prompts: boolean
  hosted: boolean
  memory_mb: number
}

export interface Settings {
  theme: 'auto' | 'light' | 'dark'
  language: string
  background: string
  model: string
}

export interface State {
  items: Item[]
  current: string | null
  home: boolean
  /** Which of its view's modes the stage is in. */
  mode: string
  zoom: number
  /** While the service does not answer: when it is asked again. */
  away: { until: number } | null
  /** While the service refuses new work: until when, and its words. */
  limited: { until: number; words: string } | null
  models: Model[]
  settings: Settings
  /** The last thing that a screen reader was told. */
  said: string
  dragging: number
}

export type Texts = Record<string, string | { one: string; other: string }>
