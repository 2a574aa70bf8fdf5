/** The choice of what photos become, where there is one. */

import { findsFaces } from '../core/settings.js'
import { html } from '../vendor/htm-preact.js'
import { later } from './controls.js'

/** @import { Page } from '../core/types' */

const Choice = later(() => import('../views/faces/choice.js'), 'Choice')

/** @param {{ page: Page }} given */
export const Making = ({ page }) => (findsFaces(page.store.state.models) ? html`<${Choice} page=${page} />` : null)
