/** The states and transitions of a definition in the Amazon States Language. */

/**
 * `number` counts the conditions of a Choice from 1. `label` says when a transition is taken, in the language's own words.
 * @typedef {'next' | 'choice' | 'default' | 'catch'} Kind
 * @typedef {{ from: string, to: string, kind: Kind, label: string }} Edge
 * @typedef {{ id: string, type: string, comment: string, resource: string, ends: boolean, inside: string, retries: number, scopes: Scope[] }} State
 * @typedef {{ start: string, states: State[], edges: Edge[] }} Scope a machine, a branch of a Parallel, or what a Map repeats
 */

/** @type {Record<string, string>} */
const SIGNS = { Equals: '=', LessThan: '<', GreaterThan: '>', LessThanEquals: '≤', GreaterThanEquals: '≥', Matches: 'matches' }

/** @param {any} rule of a Choice @returns {string} its condition on one line */
export function condition(rule) {
  if (rule.Condition) return rule.Condition.replace(/^\{%\s*|\s*%\}$/g, '')
  if (rule.Not) return `not (${condition(rule.Not)})`
  if (rule.And) return rule.And.map(condition).join(' and ')
  if (rule.Or) return rule.Or.map(condition).join(' or ')
  const { Variable: variable, Next: _, Comment: __, Assign: ___, Output: ____, ...test } = rule
  const [[name, value] = ['', '']] = Object.entries(test)
  if (name.startsWith('Is')) return `${variable} ${value ? '' : 'not '}${name}`
  const [, , sign, path] = /^(String|Numeric|Boolean|Timestamp)(.*?)(Path)?$/.exec(name) ?? ['', '', name, '']
  return `${variable} ${SIGNS[sign] ?? sign} ${path ? value : JSON.stringify(value)}`
}

/** @param {string} from @param {any} state @returns {Edge[]} in the order in which they are tried */
function edgesOf(from, state) {
  /** @type {Edge[]} */
  const edges = (state.Choices ?? []).map((/** @type {any} */ rule) => ({ from, to: rule.Next, kind: 'choice', label: condition(rule) }))
  if (state.Default) edges.push({ from, to: state.Default, kind: 'default', label: '' })
  if (state.Next) edges.push({ from, to: state.Next, kind: 'next', label: '' })
  for (const { ErrorEquals: errors, Next: to } of state.Catch ?? []) edges.push({ from, to, kind: 'catch', label: errors.join(', ') })
  return edges
}

/** @param {any} definition @param {string} [inside] the name of the Map or Parallel that it is in @returns {Scope} */
export function readScope(definition, inside = '') {
  const entries = Object.entries(/** @type {Record<string, any>} */ (definition.States ?? {}))
  const states = entries.map(([id, state]) => {
    const parts = state.Branches ?? [state.ItemProcessor ?? state.Iterator].filter(Boolean)
    return {
      id, inside, type: state.Type, comment: state.Comment ?? '', resource: state.Resource ?? '',
      ends: Boolean(state.End) || state.Type === 'Succeed' || state.Type === 'Fail',
      retries: (state.Retry ?? []).length,
      scopes: parts.map((/** @type {any} */ part) => readScope(part, id)),
    }
  })
  return { start: definition.StartAt ?? '', states, edges: entries.flatMap(([id, state]) => edgesOf(id, state)) }
}

/** @param {Scope} scope @returns {State[]} with all that are inside Maps and Parallels, each after the one that has it */
export const allStates = (scope) => scope.states.flatMap((state) => [state, ...state.scopes.flatMap(allStates)])

/** @param {Scope} scope @returns {Edge[]} */
export const allEdges = (scope) => [...scope.edges, ...scope.states.flatMap(({ scopes }) => scopes.flatMap(allEdges))]
