/** Models by what people use them for; '' is the one that the deployment chose. */

/** @import { Model } from '../../core/types' */

/** @type {Record<string, string>} the ends of the texts' keys */
export const PURPOSES = {
  '': 'everyday',
  u2netp: 'quick',
  'birefnet-general': 'fine',
  'birefnet-matting': 'hair',
  'birefnet-portrait': 'people',
  'birefnet-dis': 'thin',
  'isnet-anime': 'drawings',
}

/** The most memory of a price class, in MB: a second's price is proportional to it. */
const CLASSES = [2048, 3584, 4608, Infinity]
export const MOST_PRICE = CLASSES.length

/** @param {Model[]} models @returns {string[]} those with a purpose that this deployment may use */
export const offered = (models) =>
  Object.keys(PURPOSES).filter((name) => !name || models.some((each) => each.name === name && each.available))

/** @param {Model[]} models @param {string} name @returns {number} 1 to 4; 0 if it is unknown */
export function priceOf(models, name) {
  const model = models.find((each) => each.name === name)
  return model ? CLASSES.findIndex((most) => model.memory_mb <= most) + 1 : 0
}

/** @param {Model[]} models @returns {boolean} whether one can be used that is shown its subject */
export const pointed = (models) => models.some((each) => each.takes_prompts && each.available)

/** @param {Model[]} models @param {string} name @returns {string} the end of its text's key */
export const purposeOf = (models, name) =>
  PURPOSES[name] ?? (models.some((each) => each.name === name && each.takes_prompts) ? 'click' : 'other')
