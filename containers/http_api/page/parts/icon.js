/** The page's icons: our own, on a grid of 24, with a stroke of 1.7. */

import { html } from '../vendor/htm-preact.js'

/** @type {Record<string, string>} */
const PATHS = {
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  close: 'M6 6l12 12M18 6L6 18',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  down: 'M7 10l5 5 5-5',
  left: 'M14.5 6l-6 6 6 6',
  handle: 'M9 8l-4 4 4 4M15 8l4 4-4 4',
  download: 'M12 4v11M7.5 11L12 15.5 16.5 11M5 19.5h14',
  copy: 'M9 9h10.5v10.5H9zM15 9V4.5H4.5V15H9',
  more: 'M6 12h.01M12 12h.01M18 12h.01',
  settings: 'M4 8h9M17 8h3M15 5.8v4.4M4 16h3M11 16h9M9 13.8v4.4',
  alert: 'M12 8v5M12 16.2v.01M12 3.5a8.5 8.5 0 100 17 8.5 8.5 0 000-17z',
  lock: 'M6.5 11h11v8.5h-11zM9 11V8a3 3 0 016 0v3',
  cloudoff: 'M4 4l16 16M8 18.5a4 4 0 01-.6-8M11 6.8a5.5 5.5 0 017.3 5 3.5 3.5 0 011.5 5.7',
  drop: 'M12 4v10M8 10.5l4 4 4-4M4.5 15v4.5h15V15',
  photo: 'M4.5 5.5h15v13h-15zM4.5 16l4.5-4.5 3.5 3.5 2.5-2 4.5 4M15 9.5v.01',
  sound: 'M4 10.5v3M8 7.5v9M12 4.5v15M16 8v8M20 10.5v3',
  play: 'M8 5.5v13l10.5-6.5z',
  pause: 'M8.5 5.5v13M15.5 5.5v13',
  search: 'M10.5 4.5a6 6 0 100 12 6 6 0 000-12zM15 15l5 5',
  up: 'M7 14l5-5 5 5',
  undo: 'M8.5 5L4.5 9l4 4M4.5 9H14a5 5 0 010 10h-3',
  redo: 'M15.5 5l4 4-4 4M19.5 9H10a5 5 0 000 10h3',
  box: 'M4.5 8V4.5H8M16 4.5h3.5V8M19.5 16v3.5H16M8 19.5H4.5V16',
  face: 'M4.5 8V4.5H8M16 4.5h3.5V8M19.5 16v3.5H16M8 19.5H4.5V16M9.5 10v.5M14.5 10v.5M9 14.2c1.6 1.6 4.4 1.6 6 0',
  trash: 'M5 7h14M10 4.5h4M7 7l.8 12.5h8.4L17 7',
  flow: 'M9 4.5h6v5H9zM5 15.5h5v4H5zM14 15.5h5v4h-5zM12 9.5v3M7.5 15.5v-3h9v3',
  mark: 'M12 2.5a9.5 9.5 0 010 19',
}

/** @param {string} name @param {string} [look] classes: `s` is small */
export const icon = (name, look = '') => html`
  <svg class=${`icon i-${name} ${look}`} viewBox="0 0 24 24" aria-hidden="true">
    ${name === 'mark' && html`<path class="solid" d="M12 2.5a9.5 9.5 0 000 19z" />`}
    <path d=${PATHS[name]} />
  </svg>`
