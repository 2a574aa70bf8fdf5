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

/** A task that has begun: `done` of its `parts`, if it counts them. */
export interface Progress {
  task: string
  ms?: number
  done?: number
  parts?: number
}

/** A job, as `GET /jobs/{id}` answers. */
export interface Job {
  id: string
  state: 'waiting' | 'expired' | 'running' | 'done' | 'duplicate' | 'quarantined' | 'failed' | 'deleted'
  product?: string
  key?: string
  job?: string
  execution?: string
  tasks?: Progress[]
  results?: ResultFile[]
  record?: ResultFile
  faces?: number
  error?: { name: string; message: string; hint: string }
}

/** A job's options, as far as the page sets them. */
export interface Options {
  model?: string
  refine?: string
  prompts?: Prompt[]
  language?: string
  translate?: boolean
  denoise?: boolean
  diarize?: boolean
  tags?: boolean
  attributes?: Attribute[]
  small_faces?: boolean
  embed?: boolean
  embedder?: string
  redact?: Redaction
}
export type Attribute = 'age_gender' | 'expressions'
export type Redaction = 'blur' | 'pixelate' | 'cover'

/** What is made of a photo. */
export interface Wanted {
  product: string
  options: Options
}

/** How a result is shown and downloaded. `margin` is in percent, `size` in pixels (0: its own). */
export interface Look {
  background: string
  trim: boolean
  margin: number
  size: number
  format: 'png' | 'jpeg' | 'webp'
}

/** What the output record says, as far as the page shows it; times in ms, `duration` in seconds. */
export interface Made {
  model: string
  refine: string
  total: number
  tasks: Record<string, number>
  languages?: string[]
  words?: number
  remarks?: string[]
  duration?: number
  faces?: number
}

/** A point on the subject (label 1) or off it (0); a box. Both in fractions of the photo. */
export interface Point {
  x: number
  y: number
  label: 0 | 1
}
export interface Box {
  x0: number
  y0: number
  x1: number
  y1: number
}
export interface Prompt {
  points: Point[]
  box?: Box
}

/** `choice` is the candidate that was chosen instead of the model's: its place, and the box around it. */
export interface Subject extends Prompt {
  id: number
  choice?: { rank: number; box: Box }
}
export interface Marks {
  subjects: Subject[]
  at: number
}
export interface History {
  past: Marks[]
  now: Marks
  future: Marks[]
}
/** A point of a subject, by their places, or its box. */
export interface Mark {
  subject: number
  point?: number
}

/** A selection, as `GET /selections/{id}` answers. */
export interface Selection {
  id: string
  state: 'preparing' | 'ready' | 'failed'
  expires_at: string
  model?: string
  width?: number
  height?: number
  preview?: { url: string }
  error?: { name: string; message: string; hint: string }
}
export interface MaskGrid {
  width: number
  height: number
  photo: { x: number; y: number; width: number; height: number }
}
/** `score` is 0 to 1; `path` is its outline in pixels of the mask; `area` and `box` are fractions of the photo. */
export interface Candidate {
  score: number
  chosen: boolean
  path: string
  area: number
  box: Box
}
/** Candidates from small to large; `best` is the place of the model's choice. */
export interface Answer {
  candidates: Candidate[]
  best: number
  grid: MaskGrid
}
/** How far the questions about an item are: `ms` from the last mark to its answer. */
export interface Selecting {
  state: 'preparing' | 'expired' | 'asking' | 'ready' | 'stopped'
  answers: Record<string, Answer>
  ms?: number
  trouble?: Trouble
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
  options: Options
  upload?: string
  key?: string
  job?: string
  /** Its next job is being asked for; `job` is still the one before. */
  asking?: boolean
  product?: string
  tasks?: Progress[]
  results?: ResultFile[]
  record?: ResultFile
  made?: Made
  look?: Look
  trouble?: Trouble
  width?: number
  height?: number
  thumb?: string
  cut?: string
  /** The photo is shown as the service made it: the browser cannot decode it. */
  shown?: boolean
  marks?: History
  selection?: { id: string; expires_at: string; model?: string }
  selecting?: Selecting
  looking?: Looking
  finding?: Finding
  acting?: Acting
}

/** How the user looks at faces, by their places: `seen` is pointed at or has the focus, `held` was pressed. */
export interface Looking {
  seen?: number
  held?: number
  points?: boolean
  bare?: boolean
}

/** Vectors of people that the user may search, or also change: `GET /collections`. */
export interface Collection {
  name: string
  purpose: string
  legal_basis: string
  retention_days: number
  model: string
  vectors: number
  erase_within_days: number
  may: ('search' | 'manage')[]
}
/** What a face is similar to; the similarity is a cosine, -1 to 1. `face` is its place in its own photo. */
export interface Match {
  similarity: number
  person: string | null
  key: string
  face: number
  enrolled_at: string | null
}
/** The candidates of a face by falling similarity. The collection calls nothing below `threshold` the same. */
export interface Searched {
  threshold: number
  searched: number
  queries: { face: number | null; matches: Match[] }[]
}
/** A search in a collection for the faces that a job found; nothing below `least` is shown. */
export interface Finding {
  collection: string
  job?: string
  answer?: Searched
  least?: number
  trouble?: Trouble
}
/** A change of a collection that was begun: a face is added (`enroll`), or a person forgotten. */
export interface Acting {
  kind: 'enroll' | 'forget'
  collection: string
  person: string
  result?: { enrolled?: number; known?: number; skipped?: { why: string }[]; forgotten?: number; erased_by?: string }
  trouble?: Trouble
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
  change: (change: Partial<Settings>) => void
  signOut?: () => void
}

/** A way to look at a result. `Inspector` is its own, if the view's does not fit. */
export interface Mode {
  id: string
  Body: (given: { item: Item; page: Page }) => unknown
  Inspector?: (given: { item: Item; page: Page }) => unknown
  /** It is shown unless the user chose another one. Without such a mode, the first one is. */
  usual?: boolean
  /** Without it: once there is a result. */
  offered?: (item: Item, page: Page) => boolean
}

/** One product's view. `steps` are its tasks in words, each with the states that belong to it. */
export interface View {
  icon: string
  steps: { id: string; states: string[]; when?: (item: Item) => boolean }[]
  modes: Mode[]
  done: (item: Item) => string
  Inspector: (given: { item: Item; page: Page }) => unknown
  /** The files that are downloaded, as the user wants them. */
  finished: (item: Item, page: Page) => Promise<File[]>
}

export interface Model {
  name: string
  summary: string
  available: boolean
  takes_prompts: boolean
  hosted: boolean
  memory_mb: number
  uses: { product: string; option: string }[]
}

export interface Settings {
  theme: 'auto' | 'light' | 'dark'
  language: string
  background: string
  model: string
  /** What photos become. */
  photos: 'cutout' | 'faces'
  faces: Options
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
  /** Something that was tried and led to nothing, in words. */
  notice: string
  models: Model[]
  /** The user may see the console. */
  operator?: boolean
  /** Those that the user may search, once they were asked for; and the one that was chosen. */
  collections?: Collection[]
  collection?: string
  settings: Settings
  /** The last thing that a screen reader was told. */
  said: string
  dragging: number
}

export type Texts = Record<string, string | { one: string; other: string }>
