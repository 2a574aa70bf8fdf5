/** The part of htm/preact/standalone that the page uses. */
export type Node = unknown
export function html(strings: TemplateStringsArray, ...values: unknown[]): Node
export function render(node: Node, parent: Element): void
export function useState<T>(first: T | (() => T)): [T, (next: T | ((before: T) => T)) => void]
export function useEffect(effect: () => void | (() => void), inputs?: unknown[]): void
export function useLayoutEffect(effect: () => void | (() => void), inputs?: unknown[]): void
export function useMemo<T>(make: () => T, inputs: unknown[]): T
export function useRef<T>(first: T): { current: T }
