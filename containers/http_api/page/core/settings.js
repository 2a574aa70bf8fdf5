/** The user's choices, kept by the browser. */

/** @import { Collection, Model, Settings, Wanted } from './types' */

const NAME = 'matteline'
/** @type {Settings} */
const FIRST = { theme: 'auto', language: '', background: '', model: '', photos: 'cutout', faces: {} }

/** @returns {Settings} */
export function keptSettings() {
  try {
    return { ...FIRST, ...JSON.parse(localStorage.getItem(NAME) ?? '{}') }
  } catch {
    return FIRST // the browser keeps nothing, or something else wrote there
  }
}

/** @param {Settings} settings */
export function keepSettings(settings) {
  try {
    localStorage.setItem(NAME, JSON.stringify(settings))
  } catch {
    // the browser keeps nothing: the choice lasts until the page is closed
  }
}

/** @param {Settings} settings */
export function applyTheme({ theme }) {
  if (theme === 'auto') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
}

/** @param {Model[]} models @returns {boolean} whether this deployment finds faces */
export const findsFaces = (models) =>
  models.some(({ available, uses }) => available && uses.some(({ product, option }) => product === 'faces' && option === 'model'))

/** @param {{ collections?: Collection[], collection?: string }} state @returns {Collection | undefined} the one to search */
export const chosenOf = ({ collections = [], collection }) => collections.find(({ name }) => name === collection) ?? collections[0]

/**
 * @param {{ settings: Settings, models: Model[], collections?: Collection[], collection?: string }} state
 * @returns {Wanted} what is made of a photo that is added now. Before models are known, the service decides.
 *   Vectors are asked for only where the user sees that they are.
 */
export function wantedOf({ settings: { photos, faces, model }, models, collections, collection }) {
  const { embed, ...plain } = faces
  const into = chosenOf({ collections, collection })
  const options = embed && into ? { ...plain, embed, embedder: into.model } : plain
  if (photos === 'faces' && (!models.length || findsFaces(models))) return { product: 'faces', options }
  return { product: 'cutout', options: models.some((each) => each.name === model) ? { model } : {} }
}
