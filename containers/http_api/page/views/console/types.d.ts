/** The shapes that the console's routes answer with. For the type checker alone: it is not served. */

export type Ended = 'succeeded' | 'failed' | 'timed_out' | 'aborted'
export type Status = 'running' | Ended

export interface MachineRow {
  name: string
  comment: string
  product: string | null
  scheduled: string | null
  running: number
  last: { status: Status; at: string } | null
}
export interface Machine {
  name: string
  comment: string
  definition: Record<string, unknown>
  input_schema: Record<string, unknown> | null
  examples: { title: string; input: unknown }[]
}
export interface ExecutionRow {
  machine: string
  name: string
  status: Status
  started_at: string
  ended_at: string | null
  duration_ms: number | null
  error: string | null
  key: string | null
  product: string | null
}
/** One time that a state was entered. `path` is that of the Maps and Parallels around it. */
export interface Visit {
  name: string
  path: string
  type: string
  status: 'succeeded' | 'failed' | 'caught' | 'running' | 'aborted'
  entered_at: string
  ended_at: string | null
  duration_ms: number | null
  attempts: number
  errors: { error: string; cause: string; at: string }[]
  input: unknown
  output: unknown
  shortened: boolean
  child: { machine: string; name: string } | null
}
export interface Execution {
  machine: string
  name: string
  trace_id: string
  status: Status
  started_at: string
  ended_at: string | null
  duration_ms: number | null
  input: unknown
  output: unknown
  error: string | null
  cause: string | null
  started_by: { machine: string; name: string } | null
  can: { stop: boolean; redrive: boolean; replay: boolean }
  truncated: boolean
  states: Visit[]
  cursor: string | null
}
export interface LogLine {
  at: string
  container: string
  level: string
  message: string
  error: string | null
  fields: Record<string, unknown>
}
export interface Quarantined {
  id: string
  error: string
  message: string
  hint: string
  key: string
  product: string | null
  at: string
  options: Record<string, unknown>
}
export interface ContainerRow {
  name: string
  version: string | null
  live: { version: string; digest: string; at: string | null } | null
  last_release: { name: string; status: string; error: string | null; at: string } | null
  models: { name: string; compute: string; memory_mb: number; job: string | null }[]
}

/** Where the console is, as the address has it. */
export interface Place {
  view: string
  names: string[]
  query: URLSearchParams
}
